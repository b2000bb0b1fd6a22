// Pad: a border around any dimensions; negative pads cut off. Modes: constant, reflect, edge, wrap.

import { pick } from '../../autograd/ops/movement.js';
import { sizeOf, stridesOf } from '../../core/shape.js';
import type { HostTensor } from '../../tensor/host_tensor.js';
import { formatShape, mapDim, UNKNOWN } from '../dims.js';
import { defineOperator, integersOf, none, required, resolveAxis, string } from '../operator.js';
import { take } from './movement.js';

type Fail = (what: string) => never;

/** [before, after] for each axis, from the inputs pads and axes. */
function padsOf(pads: HostTensor, axes: HostTensor | undefined, rank: number, fail: Fail): [number, number][] {
  const sizes = integersOf(pads, 'pads', fail);
  const given = axes ? integersOf(axes, 'axes', fail) : Array.from({ length: rank }, (_, axis) => axis);
  if (sizes.length !== 2 * given.length) fail(`expected ${2 * given.length} pads, received [${sizes}]`);
  const result = Array.from({ length: rank }, (): [number, number] => [0, 0]);
  given.forEach((axis, index) => {
    result[resolveAxis(axis, rank, rank, fail)] = [sizes[index] as number, sizes[index + given.length] as number];
  });
  return result;
}

/** Coordinate of the input that output coordinate `at` (counted from the input's start) copies; −1 for the constant. */
function source(at: number, size: number, mode: string): number {
  if (at >= 0 && at < size) return at;
  if (mode === 'edge') return at < 0 ? 0 : size - 1;
  if (mode === 'wrap') return ((at % size) + size) % size;
  if (mode === 'reflect') {
    const period = Math.max(1, 2 * (size - 1));
    const phase = ((at % period) + period) % period;
    return phase < size ? phase : period - phase;
  }
  return -1;
}

export const pad = defineOperator({
  name: 'Pad',
  attributes: { mode: string('constant') },
  inputs: [2, 4],
  outputs: [1, 1],
  ...none('fuses', 'fusion', 'product'),
  spans: { 3: { since: 18 } },
  settings: [1, 2, 3],
  shape: (call) => {
    const { dtype, dims } = required(call.inputs, 0);
    const { mode } = call.attributes;
    if (!['constant', 'reflect', 'edge', 'wrap'].includes(mode)) call.fail(`mode "${mode}"`);
    const [pads, axes] = [call.constant(1), call.constant(3)];
    if (!pads || (call.inputs[3] && !axes)) return [{ dtype, dims: dims.map(() => UNKNOWN) }];
    const sizes = padsOf(pads, axes, dims.length, call.fail);
    const output = dims.map((dim, axis) => {
      const [before, after] = sizes[axis] as [number, number];
      return before === 0 && after === 0 ? dim : mapDim(dim, (size) => size + before + after);
    });
    const empty = dims.some((dim, axis) => dim === 0 && output[axis] !== 0);
    if (output.some((dim) => typeof dim === 'number' && dim < 0) || (empty && mode !== 'constant')) {
      call.fail(`cannot pad ${formatShape(dims)} to ${formatShape(output)} in mode "${mode}"`);
    }
    return [{ dtype, dims: output }];
  },
  float: (call) => {
    const input = required(call.inputs, 0);
    let x = call.tape.alias(input, input.dims, input.layout);
    const sizes = padsOf(
      call.host(1) ?? call.fail('its pads are computed at run time'),
      call.host(3),
      x.dims.length,
      call.fail,
    );
    if (call.inputs[2] && !call.host(2)) call.fail('its constant is computed on the tape');
    const fill = Number(call.host(2)?.data[0] ?? 0);
    sizes.forEach(([before, after], axis) => {
      const size = x.dims[axis] as number;
      if (before === 0 && after === 0) return;
      const places = Array.from({ length: size + before + after }, (_, i) => {
        return source(i - before, size, call.attributes.mode);
      });
      x = pick(call.tape, x, axis, places, fill);
    });
    return x;
  },
  forward: (call) => {
    const input = required(call.inputs, 0);
    const { dims } = required(call.outputs, 0);
    const sizes = padsOf(required(call.inputs, 1), call.inputs[3], dims.length, call.fail);
    const strides = stridesOf(input.dims);
    const outStrides = stridesOf(dims);
    const offsets = new Float64Array(sizeOf(dims));
    for (let i = 0; i < offsets.length; i++) {
      let offset = 0;
      for (let axis = 0; axis < dims.length && offset >= 0; axis++) {
        const coordinate = Math.floor(i / (outStrides[axis] as number)) % (dims[axis] as number);
        const [before] = sizes[axis] as [number, number];
        const from = source(coordinate - before, input.dims[axis] as number, call.attributes.mode);
        offset = from < 0 ? -1 : offset + from * (strides[axis] as number);
      }
      offsets[i] = offset;
    }
    return [take(input, offsets, dims, call.inputs[2]?.data[0])];
  },
});
