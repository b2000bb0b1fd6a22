// ScatterND: a copy of `data` with the slices that `indices` name replaced by (or combined with) those of `updates`.
import { sizeOf, stridesOf } from '../../core/shape.js';
import type { HostTensor } from '../../tensor/host_tensor.js';
import { compatible, formatShape } from '../dims.js';
import { defineOperator, integersOf, none, required, string, unknown } from '../operator.js';
import { take } from './movement.js';

type Number64 = number | bigint;
const COMBINE: Readonly<Record<string, (a: Number64, b: Number64) => Number64>> = {
  none: (_, b) => b,
  add: (a, b) => ((a as number) + (b as number)) as Number64,
  mul: (a, b) => ((a as number) * (b as number)) as Number64,
  min: (a, b) => (b < a ? b : a),
  max: (a, b) => (b > a ? b : a),
};

export const ScatterND = defineOperator({
  name: 'ScatterND',
  attributes: { reduction: string('none') },
  inputs: [3, 3],
  outputs: [1, 1],
  ...none('product', 'macs', 'fuses', 'fusion', 'float', 'device'),
  ...none('settings', 'statistics', 'fromTypes', 'openShape', 'unfoldable', 'upgrades', 'detail'),
  ...unknown('channels', 'samples'),
  spans: { reduction: { since: 16 } },
  shape: (call) => {
    const [data, indices, updates] = [0, 1, 2].map((index) => required(call.inputs, index));
    if (!data || !indices || !updates) return call.fail('expected three inputs');
    if (!COMBINE[call.attributes.reduction]) call.fail(`reduction "${call.attributes.reduction}"`);
    if (indices.dtype !== 'int64') call.fail(`expected int64 indices, received ${indices.dtype}`);
    if (updates.dtype !== data.dtype) call.fail(`expected updates of ${data.dtype}, received ${updates.dtype}`);
    const depth = indices.dims.at(-1);
    if (typeof depth !== 'number' || depth < 1 || depth > data.dims.length) {
      return call.fail(`indices of ${formatShape(indices.dims)} do not reach into ${formatShape(data.dims)}`);
    }
    const expected = [...indices.dims.slice(0, -1), ...data.dims.slice(depth)];
    const fits =
      expected.length === updates.dims.length && expected.every((dim, i) => compatible(dim, updates.dims[i] ?? 1));
    if (!fits) call.fail(`expected updates of ${formatShape(expected)}, received ${formatShape(updates.dims)}`);
    return [data];
  },
  forward: (call) => {
    const [data, indices, updates] = [0, 1, 2].map((index) => required(call.inputs, index)) as [
      HostTensor,
      HostTensor,
      HostTensor,
    ];
    const depth = indices.dims.at(-1) as number;
    const strides = stridesOf(data.dims);
    const inner = sizeOf(data.dims.slice(depth));
    const places = integersOf(indices, 'indices', call.fail);
    const result = take(
      data,
      Float64Array.from({ length: sizeOf(data.dims) }, (_, i) => i),
      data.dims,
    );
    const to = result.data as unknown as Number64[];
    const from = updates.data as unknown as ArrayLike<Number64>;
    const combine = COMBINE[call.attributes.reduction] as (a: Number64, b: Number64) => Number64;
    for (let row = 0; row * depth < places.length; row++) {
      let start = 0;
      for (let axis = 0; axis < depth; axis++) {
        const size = data.dims[axis] as number;
        const place = places[row * depth + axis] as number;
        if (place < -size || place >= size) call.fail(`index ${place} is outside a dimension of ${size}`);
        start += (place < 0 ? place + size : place) * (strides[axis] as number);
      }
      for (let i = 0; i < inner; i++) {
        to[start + i] = combine(to[start + i] as Number64, from[row * inner + i] as Number64);
      }
    }
    return [result];
  },
});
