// Mod: the remainder of x / y, with broadcasting: of the sign of y, or of x with fmod (required for floats).
import { allocate, isFloat } from '../../tensor/dtype.js';
import type { HostTensor } from '../../tensor/host_tensor.js';
import { broadcast, formatShape } from '../dims.js';
import { defineOperator, int, none, required, unknown } from '../operator.js';
import { broadcastOffsets } from './movement.js';

export const Mod = defineOperator({
  name: 'Mod',
  attributes: { fmod: int(0) },
  inputs: [2, 2],
  outputs: [1, 1],
  ...none('product', 'macs', 'fuses', 'fusion', 'float', 'device'),
  ...none('settings', 'statistics', 'fromTypes', 'openShape', 'unfoldable', 'upgrades', 'detail'),
  ...unknown('channels', 'samples'),
  shape: (call) => {
    const [x, y] = [required(call.inputs, 0), required(call.inputs, 1)];
    if (x.dtype !== y.dtype) call.fail(`expected inputs of one type, received ${x.dtype} and ${y.dtype}`);
    if (x.dtype === 'string' || x.dtype === 'bool') call.fail(`expected numbers, received ${x.dtype}`);
    if (isFloat(x.dtype) && !call.attributes.fmod) call.fail('expected fmod 1 for floats');
    const dims = broadcast(x.dims, y.dims);
    if (!dims) return call.fail(`shapes ${formatShape(x.dims)} and ${formatShape(y.dims)} do not broadcast`);
    return [{ dtype: x.dtype, dims }];
  },
  forward: (call) => {
    const [x, y] = [required(call.inputs, 0), required(call.inputs, 1)];
    const { dtype, dims } = required(call.outputs, 0);
    const [left, right] = [broadcastOffsets(x.dims, dims), broadcastOffsets(y.dims, dims)];
    const data = allocate(dtype, left.length) as unknown as (number | bigint)[];
    const { fmod } = call.attributes;
    for (let i = 0; i < data.length; i++) {
      const [a, b] = [x.data[left[i] as number], y.data[right[i] as number]];
      if (typeof a === 'bigint' && typeof b === 'bigint') {
        const rest = b === 0n ? 0n : a % b;
        data[i] = !fmod && rest !== 0n && rest < 0n !== b < 0n ? rest + b : rest;
      } else {
        const [dividend, divisor] = [a as number, b as number];
        const rest = dividend % divisor;
        data[i] = !fmod && rest !== 0 && rest < 0 !== divisor < 0 ? rest + divisor : rest;
      }
    }
    return [{ dtype, dims, data } as unknown as HostTensor];
  },
});
