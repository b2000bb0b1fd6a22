// DepthToSpace: blocks of channels to blocks of places. [N, C, H, W] → [N, C / b², H · b, W · b].
import { reshape, transpose } from '../../autograd/ops/movement.js';
import { stridesOf } from '../../core/shape.js';
import { mapDim } from '../dims.js';
import { defineOperator, dimsOf, int, none, required, string, unknown } from '../operator.js';
import { offsetsOf, take } from './movement.js';

/** The input as six dimensions, and which of them follow each other in the output. */
function blocks(dims: readonly number[], b: number, mode: string): { split: number[]; order: number[] } {
  const [n = 0, c = 0, h = 0, w = 0] = dims;
  const left = c / (b * b);
  if (mode === 'CRD') return { split: [n, left, b, b, h, w], order: [0, 1, 4, 2, 5, 3] };
  return { split: [n, b, b, left, h, w], order: [0, 3, 4, 1, 5, 2] };
}

export const DepthToSpace = defineOperator({
  name: 'DepthToSpace',
  attributes: { blocksize: int(), mode: string('DCR') },
  inputs: [1, 1],
  outputs: [1, 1],
  ...none('product', 'macs', 'fuses', 'fusion', 'device'),
  ...none('settings', 'statistics', 'fromTypes', 'openShape', 'unfoldable', 'upgrades', 'detail'),
  ...unknown('channels', 'samples'),
  shape: (call) => {
    const { blocksize: b = 0, mode } = call.attributes;
    const [n, c, h, w] = dimsOf(call, 0, 'an image', 4) as [never, number, number, number];
    if (b < 1 || (mode !== 'DCR' && mode !== 'CRD')) call.fail(`blocksize ${b}, mode "${mode}"`);
    if (typeof c === 'number' && c % (b * b) !== 0) call.fail(`${c} channels are not a multiple of ${b * b}`);
    const dims = [n, mapDim(c, (size) => size / (b * b)), mapDim(h, (size) => size * b), mapDim(w, (size) => size * b)];
    return [{ dtype: required(call.inputs, 0).dtype, dims }];
  },
  float: ({ tape, inputs, attributes, dims }) => {
    const x = required(inputs, 0);
    const { split, order } = blocks(x.dims, attributes.blocksize ?? 1, attributes.mode);
    return reshape(tape, transpose(tape, reshape(tape, x, split), order), dims);
  },
  forward: (call) => {
    const input = required(call.inputs, 0);
    const { split, order } = blocks(input.dims, call.attributes.blocksize ?? 1, call.attributes.mode);
    const strides = stridesOf(split);
    const at = (items: readonly number[]) => order.map((axis) => items[axis] as number);
    return [take(input, offsetsOf(at(split), at(strides)), required(call.outputs, 0).dims)];
  },
});
