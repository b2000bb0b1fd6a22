// Gather: rows of `data` along an axis, by index (an embedding when axis is 0). Negative indices count from the end.
import { gather } from '../../autograd/ops/movement.js';
import { sizeOf } from '../../core/shape.js';
import type { HostTensor } from '../../tensor/host_tensor.js';
import { defineOperator, int, integersOf, none, required, resolveAxis, unknown } from '../operator.js';
import { take } from './movement.js';

export const Gather = defineOperator({
  name: 'Gather',
  attributes: { axis: int(0) },
  inputs: [2, 2],
  outputs: [1, 1],
  ...none('product', 'macs', 'fuses', 'fusion', 'device'),
  ...none('settings', 'statistics', 'fromTypes', 'openShape', 'unfoldable', 'upgrades', 'detail'),
  ...unknown('channels', 'samples'),
  shape: (call) => {
    const [data, indices] = [required(call.inputs, 0), required(call.inputs, 1)];
    const axis = resolveAxis(call.attributes.axis, data.dims.length, data.dims.length, call.fail);
    if (indices.dtype !== 'int64' && indices.dtype !== 'int32')
      call.fail(`expected int64 indices, received ${indices.dtype}`);
    return [{ dtype: data.dtype, dims: [...data.dims.slice(0, axis), ...indices.dims, ...data.dims.slice(axis + 1)] }];
  },
  float: (call) => {
    const [data, indices] = [required(call.inputs, 0), call.host(1)];
    if (!indices) return call.fail('its indices are computed on the tape');
    const axis = resolveAxis(call.attributes.axis, data.dims.length, data.dims.length, call.fail);
    const rows = Int32Array.from(rowsOf(indices, data.dims[axis] as number, call.fail));
    return gather(call.tape, data, rows, axis, indices.dims);
  },
  forward: (call) => {
    const data = required(call.inputs, 0);
    const { dims } = required(call.outputs, 0);
    const axis = resolveAxis(call.attributes.axis, data.dims.length, data.dims.length, call.fail);
    const size = data.dims[axis] as number;
    const inner = sizeOf(data.dims.slice(axis + 1));
    const rows = rowsOf(required(call.inputs, 1), size, call.fail);
    const offsets = new Float64Array(sizeOf(dims));
    for (let i = 0; i < offsets.length; i++) {
      const outer = Math.floor(i / (rows.length * inner));
      const row = rows[Math.floor(i / inner) % rows.length] as number;
      offsets[i] = (outer * size + row) * inner + (i % inner);
    }
    return [take(data, offsets, dims)];
  },
});

/** Indices counted from the front. */
function rowsOf(indices: HostTensor, size: number, fail: (what: string) => never): number[] {
  return integersOf(indices, 'indices', fail).map((index) => {
    if (index < -size || index >= size) fail(`index ${index} is outside a dimension of ${size}`);
    return index < 0 ? index + size : index;
  });
}
