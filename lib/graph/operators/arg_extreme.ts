// ArgMax, ArgMin: where along an axis the largest or least element is, the first of several or the last.
import { sizeOf } from '../../core/shape.js';
import { defineOperator, int, none, required, resolveAxis, unknown } from '../operator.js';

export function argExtreme(
  name: string,
  better: (a: number | bigint, b: number | bigint) => boolean,
  readout?: 'choice',
) {
  return defineOperator({
    name,
    ...(readout === undefined ? {} : { readout }),
    attributes: { axis: int(0), keepdims: int(1), select_last_index: int(0) },
    inputs: [1, 1],
    outputs: [1, 1],
    ...none('product', 'macs', 'fuses', 'fusion', 'float', 'device'),
    ...none('settings', 'statistics', 'fromTypes', 'openShape', 'unfoldable', 'upgrades', 'detail'),
    ...unknown('channels', 'samples'),
    shape: (call) => {
      const { dtype, dims } = required(call.inputs, 0);
      if (dtype === 'string' || dtype === 'bool') call.fail(`expected numbers, received ${dtype}`);
      const axis = resolveAxis(call.attributes.axis, dims.length, dims.length, call.fail);
      if (dims[axis] === 0) call.fail('expected at least one element along its axis, received none');
      const kept = dims.map((dim, i) => (i === axis ? 1 : dim));
      return [{ dtype: 'int64', dims: call.attributes.keepdims ? kept : kept.filter((_, i) => i !== axis) }];
    },
    forward: (call) => {
      const input = required(call.inputs, 0);
      const { dims } = required(call.outputs, 0);
      const x = input.data as unknown as ArrayLike<number | bigint>;
      const axis = resolveAxis(call.attributes.axis, input.dims.length, input.dims.length, call.fail);
      const size = input.dims[axis] as number;
      const inner = sizeOf(input.dims.slice(axis + 1));
      const data = new BigInt64Array(sizeOf(dims));
      const last = call.attributes.select_last_index !== 0;
      for (let at = 0; at < data.length; at++) {
        const start = Math.floor(at / inner) * size * inner + (at % inner);
        let best = 0;
        for (let i = 1; i < size; i++) {
          const [a, b] = [x[start + i * inner] as number, x[start + best * inner] as number];
          if (better(a, b) || (last && a === b)) best = i;
        }
        data[at] = BigInt(best);
      }
      return [{ dtype: 'int64', dims, data }];
    },
  });
}
