// Pad: a border around any dimensions; negative pads cut off. Modes: constant, reflect, edge, wrap.

import { pick } from '../../autograd/ops/movement.js';
import { sizeOf, stridesOf } from '../../core/shape.js';
import { floats, type HostTensor, integers } from '../../tensor/host_tensor.js';
import { formatShape, mapDim, UNKNOWN } from '../dims.js';
import { defineOperator, integersOf, none, required, resolveAxis, string, unknown } from '../operator.js';
import { giveUp } from './channels.js';
import { take } from './movement.js';
import { numberOf, without } from './upgrades.js';

type Fail = (what: string) => never;

/** [before, after] for each axis, from the inputs pads and axes. */
function padsOf(pads: HostTensor, axes: HostTensor | undefined, rank: number, fail: Fail): [number, number][] {
  const sizes = integersOf(pads, 'pads', fail);
  const padded = axes ? integersOf(axes, 'axes', fail) : Array.from({ length: rank }, (_, axis) => axis);
  if (sizes.length !== 2 * padded.length) fail(`expected ${2 * padded.length} pads, received [${sizes}]`);
  const result = Array.from({ length: rank }, (): [number, number] => [0, 0]);
  padded.forEach((axis, index) => {
    result[resolveAxis(axis, rank, rank, fail)] = [sizes[index] as number, sizes[index + padded.length] as number];
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

export const Pad = defineOperator({
  name: 'Pad',
  attributes: { mode: string('constant') },
  inputs: [2, 4],
  outputs: [1, 1],
  ...none('product', 'macs', 'fuses', 'fusion', 'device'),
  ...none('statistics', 'fromTypes', 'openShape', 'unfoldable', 'detail'),
  ...unknown('samples'),
  // to 10, pads and value were attributes; in 1, pads had another name
  upgrades: {
    Pad: (node, call) => {
      if (call.opset >= 11) return node;
      const pads = (node.attributes.pads ?? node.attributes.paddings ?? []) as number[];
      const value = floats([], [numberOf(node, 'value', 0)]);
      const inputs = [...node.inputs, call.constant(node, 'pads', integers(pads))];
      return {
        ...without(node, 'pads', 'paddings', 'value'),
        inputs: [...inputs, call.constant(node, 'value', value)],
      };
    },
  },
  channels: (call) => {
    const x = call.slots(0);
    if (!x) return undefined;
    const rank = call.dims(0).length;
    const pads = Array.from(call.constant(1)?.data ?? [], Number);
    const zero = !call.has(2) || Number(call.constant(2)?.data[0]) === 0;
    const [before, after] = [pads[x.axis] ?? 0, pads[x.axis + rank] ?? 0];
    const filled = call.attributes.mode === 'constant';
    if (pads.length !== 2 * rank || call.has(3) || (filled && !zero)) return giveUp(call, x);
    if (before === 0 && after === 0) return x;
    if (before < 0 || after < 0 || !filled) return giveUp(call, x);
    // Channels of zeros have no scale.
    return {
      axis: x.axis,
      ids: Int32Array.from([...call.fresh(0, before).ids, ...x.ids, ...call.fresh(0, after).ids]),
    };
  },
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
