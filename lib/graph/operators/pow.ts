// Pow: z = x^y, with broadcasting; of x's type.
import { binary } from '../../autograd/ops/binary.js';
import { unary } from '../../autograd/ops/unary.js';
import { allocate } from '../../tensor/dtype.js';
import type { HostTensor } from '../../tensor/host_tensor.js';
import { broadcast, formatShape } from '../dims.js';
import { defineOperator, none, required, unknown } from '../operator.js';
import { alignBroadcast } from './elementwise.js';
import { broadcastOffsets } from './movement.js';

export const Pow = defineOperator({
  name: 'Pow',
  attributes: {},
  inputs: [2, 2],
  outputs: [1, 1],
  ...none('product', 'macs', 'fuses', 'fusion', 'device'),
  ...none('settings', 'statistics', 'fromTypes', 'openShape', 'unfoldable', 'detail'),
  ...unknown('channels', 'samples'),
  upgrades: { Pow: alignBroadcast },
  shape: (call) => {
    const [x, y] = [required(call.inputs, 0), required(call.inputs, 1)];
    for (const { dtype } of [x, y]) {
      if (dtype === 'string' || dtype === 'bool' || dtype === 'float16' || dtype === 'bfloat16') {
        call.fail(`expected numbers of 32 or 64 bits, received ${dtype}`);
      }
    }
    const dims = broadcast(x.dims, y.dims);
    if (!dims) return call.fail(`shapes ${formatShape(x.dims)} and ${formatShape(y.dims)} do not broadcast`);
    return [{ dtype: x.dtype, dims }];
  },
  float: ({ tape, inputs, host, fail }) => {
    const x = required(inputs, 0);
    const constant = host(1);
    // The powers that networks take: squares and roots.
    const exponent =
      constant?.data.length === 1 && constant.dims.length <= x.dims.length ? Number(constant.data[0]) : 0;
    if (exponent === 2) return binary(tape, 'mul', x, x);
    if (exponent === 0.5) return unary(tape, 'sqrt', x);
    const y =
      inputs[1] ?? (constant && tape.constant(Float32Array.from(constant.data as never, Number), constant.dims));
    return binary(tape, 'pow', x, y ?? fail('its exponent is computed at run time'));
  },
  forward: (call) => {
    const [x, y] = [required(call.inputs, 0), required(call.inputs, 1)];
    const { dtype, dims } = required(call.outputs, 0);
    const [left, right] = [broadcastOffsets(x.dims, dims), broadcastOffsets(y.dims, dims)];
    const data = allocate(dtype, left.length) as unknown as (number | bigint)[];
    const wide = dtype === 'int64' || dtype === 'uint64';
    for (let i = 0; i < data.length; i++) {
      const value = Number(x.data[left[i] as number]) ** Number(y.data[right[i] as number]);
      data[i] = wide ? BigInt(Math.trunc(value)) : value;
    }
    return [{ dtype, dims, data } as unknown as HostTensor];
  },
});
