// Tile: x repeated along each of its axes.
import { pick } from '../../autograd/ops/movement.js';
import { sizeOf, stridesOf } from '../../core/shape.js';
import { mapDim, unknownDims } from '../dims.js';
import { defineOperator, integersOf, none, required, unknown } from '../operator.js';
import { take } from './movement.js';

export const Tile = defineOperator({
  name: 'Tile',
  attributes: {},
  inputs: [2, 2],
  outputs: [1, 1],
  ...none('product', 'macs', 'fuses', 'fusion', 'device'),
  ...none('statistics', 'fromTypes', 'openShape', 'unfoldable', 'upgrades', 'detail'),
  ...unknown('channels', 'samples'),
  settings: [1],
  shape: (call) => {
    const { dtype, dims } = required(call.inputs, 0);
    const constant = call.constant(1);
    if (!constant) return [{ dtype, dims: unknownDims(dims.length) }];
    const repeats = integersOf(constant, 'repeats', call.fail);
    if (repeats.length !== dims.length || repeats.some((count) => count < 0)) {
      call.fail(`expected ${dims.length} repeats of at least 0, received [${repeats}]`);
    }
    const repeat = (axis: number) => repeats[axis] as number;
    return [
      { dtype, dims: dims.map((dim, axis) => (repeat(axis) === 1 ? dim : mapDim(dim, (n) => n * repeat(axis)))) },
    ];
  },
  float: (call) => {
    const input = required(call.inputs, 0);
    let x = call.tape.alias(input, input.dims, input.layout);
    call.dims.forEach((size, axis) => {
      const period = x.dims[axis] as number;
      if (size === period) return;
      const places = Array.from({ length: size }, (_, i) => i % period);
      x = pick(call.tape, x, axis, places, 0);
    });
    return x;
  },
  forward: (call) => {
    const input = required(call.inputs, 0);
    const { dims } = required(call.outputs, 0);
    const [from, to] = [stridesOf(input.dims), stridesOf(dims)];
    const offsets = new Float64Array(sizeOf(dims));
    for (let i = 0; i < offsets.length; i++) {
      let offset = 0;
      for (let axis = 0; axis < dims.length; axis++) {
        const at = Math.floor(i / (to[axis] as number)) % (dims[axis] as number);
        offset += (at % (input.dims[axis] as number)) * (from[axis] as number);
      }
      offsets[i] = offset;
    }
    return [take(input, offsets, dims)];
  },
});
