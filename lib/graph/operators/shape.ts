// Shape: the dimensions of its input from `start` to `end`, int64. It follows from the input's type.
import { integers } from '../../tensor/host_tensor.js';
import { defineOperator, int, none, required, unknown } from '../operator.js';

function range({ start, end }: { start: number; end?: number | undefined }, rank: number): [number, number] {
  const clamp = (axis: number) => Math.min(Math.max(axis < 0 ? axis + rank : axis, 0), rank);
  const first = clamp(start);
  return [first, Math.max(first, end === undefined ? rank : clamp(end))];
}

export const Shape = defineOperator({
  name: 'Shape',
  attributes: { start: int(0), end: int() },
  inputs: [1, 1],
  outputs: [1, 1],
  ...none('product', 'macs', 'fuses', 'fusion', 'float', 'device'),
  ...none('settings', 'statistics', 'openShape', 'unfoldable', 'upgrades', 'detail'),
  ...unknown('channels', 'samples'),
  spans: { start: { since: 15 }, end: { since: 15 } },
  shape: (call) => {
    const [first, end] = range(call.attributes, required(call.inputs, 0).dims.length);
    return [{ dtype: 'int64', dims: [end - first] }];
  },
  fromTypes: (attributes, inputs) => {
    const { dims } = required(inputs, 0);
    const expected = dims.slice(...range(attributes, dims.length));
    return expected.every((dim) => typeof dim === 'number') ? integers(expected as number[]) : undefined;
  },
  forward: (call) => {
    const { dims } = required(call.inputs, 0);
    return [integers(dims.slice(...range(call.attributes, dims.length)))];
  },
});
