// SpaceToDepth: blocks of places to blocks of channels. [N, C, H, W] → [N, C · b², H / b, W / b].
import { reshape, transpose } from '../../autograd/ops/movement.js';
import { stridesOf } from '../../core/shape.js';
import { mapDim } from '../dims.js';
import { defineOperator, dimsOf, int, none, required, unknown } from '../operator.js';
import { offsetsOf, take } from './movement.js';

const ORDER = [0, 3, 5, 1, 2, 4];

function split(dims: readonly number[], b: number): number[] {
  const [n = 0, c = 0, h = 0, w = 0] = dims;
  return [n, c, h / b, b, w / b, b];
}

export const SpaceToDepth = defineOperator({
  name: 'SpaceToDepth',
  attributes: { blocksize: int() },
  inputs: [1, 1],
  outputs: [1, 1],
  ...none('product', 'macs', 'fuses', 'fusion', 'device'),
  ...none('settings', 'statistics', 'fromTypes', 'openShape', 'unfoldable', 'upgrades', 'detail'),
  ...unknown('channels', 'samples'),
  shape: (call) => {
    const { blocksize: b = 0 } = call.attributes;
    const [n, c, h, w] = dimsOf(call, 0, 'an image', 4) as [never, number, number, number];
    if (b < 1) call.fail(`expected a blocksize of at least 1, received ${b}`);
    if ([h, w].some((size) => typeof size === 'number' && size % b !== 0)) call.fail(`[${h},${w}] in blocks of ${b}`);
    const dims = [n, mapDim(c, (size) => size * b * b), mapDim(h, (size) => size / b), mapDim(w, (size) => size / b)];
    return [{ dtype: required(call.inputs, 0).dtype, dims }];
  },
  float: ({ tape, inputs, attributes, dims }) => {
    const x = required(inputs, 0);
    const blocks = reshape(tape, x, split(x.dims, attributes.blocksize ?? 1));
    return reshape(tape, transpose(tape, blocks, ORDER), dims);
  },
  forward: (call) => {
    const input = required(call.inputs, 0);
    const blocks = split(input.dims, call.attributes.blocksize ?? 1);
    const strides = stridesOf(blocks);
    const at = (items: readonly number[]) => ORDER.map((axis) => items[axis] as number);
    return [take(input, offsetsOf(at(blocks), at(strides)), required(call.outputs, 0).dims)];
  },
});
