// Rules for the scales of channels (lib/graph/channels) that operators share. Other functions of a scaled input
// (Sigmoid, Softmax, Gelu, …) have no rule: their inputs must keep their scale.
import { knownSize } from '../dims.js';
import type { ChannelCall, Slots } from '../facts.js';

/** The channel axis of images and lengths. */
export const CHANNELS = 1;

export function giveUp(call: ChannelCall, ...inputs: (Slots | undefined)[]): undefined {
  for (const slots of inputs) call.pin(slots);
  return undefined;
}

/** f(c · x) = c · f(x) for every element. */
export function homogeneous(call: ChannelCall): Slots | undefined {
  return call.slots(0);
}

/** Works on each channel of [N, C, …] separately. */
export function eachChannel(call: ChannelCall): Slots | undefined {
  const x = call.slots(0);
  return x?.axis === CHANNELS ? x : giveUp(call, x);
}

/** The product's constants, where each can be scaled: the weight along `outAxis` and a bias along its last axis. */
export function linear(call: ChannelCall, x: Slots | undefined, outAxis: number, inAxis: number, valueAxis: number) {
  const weight = call.scalable(1);
  if (!weight) return giveUp(call, x);
  call.reads(1, inAxis, x);
  const channels = weight.dims[outAxis] as number;
  const bias = call.scalable(2);
  if (call.has(2) && bias?.dims.at(-1) !== channels) {
    call.makes(1, outAxis, call.pinned(outAxis, channels));
    return undefined;
  }
  const y = call.fresh(valueAxis, channels);
  call.makes(1, outAxis, y);
  if (bias) call.shifts(2, bias.dims.length - 1, y);
  return y;
}

/** Scale and shift of a normalisation: the input keeps its scale, the output is scaled by them. */
export function normalization(call: ChannelCall, axis: number): Slots | undefined {
  call.pin(call.slots(0));
  const [scale, shift] = [call.scalable(1), call.scalable(2)];
  if (scale?.dims.length !== 1 || (call.has(2) && shift?.dims.length !== 1)) return undefined;
  const y = call.fresh(axis, scale.dims[0] as number);
  call.makes(1, 0, y);
  if (shift) call.shifts(2, 0, y);
  return y;
}

/** x + constant: the constant is scaled too, when it has one number (or more) for each channel. */
function addConstant(call: ChannelCall, x: Slots, value: number, constant: number): Slots | undefined {
  const tensor = call.scalable(constant);
  const rank = call.dims(value).length;
  if (!tensor || rank !== call.outputDims.length) return giveUp(call, x);
  const axis = x.axis - rank + tensor.dims.length;
  if (tensor.dims[axis] !== x.ids.length) return giveUp(call, x);
  call.shifts(constant, axis, x);
  return x;
}

/** x + y, x − y: both have one scale. */
export function sums(call: ChannelCall): Slots | undefined {
  const [a, b] = [call.slots(0), call.slots(1)];
  if (a && !b) return addConstant(call, a, 0, 1);
  if (b && !a) return addConstant(call, b, 1, 0);
  if (!a || !b) return undefined;
  const rank = call.outputDims.length;
  const fromEnd = (slots: Slots, index: number) => call.dims(index).length - slots.axis;
  const broadcast = a.ids.length === b.ids.length || a.ids.length === 1 || b.ids.length === 1;
  if (fromEnd(a, 0) !== fromEnd(b, 1) || !broadcast) return giveUp(call, a, b);
  call.tie(a, b);
  return { axis: rank - fromEnd(a, 0), ids: a.ids.length >= b.ids.length ? a.ids : b.ids };
}

/** x · y or x / y where only x may be rescaled. */
export function scaled(call: ChannelCall, index: number): Slots | undefined {
  const x = call.slots(index) as Slots;
  const rank = call.outputDims.length;
  const axis = x.axis + rank - call.dims(index).length;
  const size = call.outputDims[axis];
  if (size === x.ids.length) return { axis, ids: x.ids };
  return typeof size === 'number' && x.ids.length === 1
    ? { axis, ids: new Int32Array(size).fill(x.ids[0] as number) }
    : giveUp(call, x);
}

/**
 * Another shape for the same elements in the same order. A channel's places stay behind its axis, or join it: then each
 * is a feature of the channel's scale.
 */
export function reshaping(call: ChannelCall): Slots | undefined {
  const x = call.slots(0);
  if (!x) return undefined;
  const to = call.outputDims;
  const places = knownSize(call.dims(0).slice(x.axis + 1));
  if (places === undefined) return giveUp(call, x);
  const channels = x.ids.length;
  const kept = to.findIndex((dim, axis) => dim === channels && knownSize(to.slice(axis + 1)) === places);
  if (kept >= 0) return { axis: kept, ids: x.ids };
  const axis = to.findIndex((dim, i) => dim === channels * places && knownSize(to.slice(i + 1)) === 1);
  if (axis < 0 || places === 0) return giveUp(call, x);
  return {
    axis,
    ids: Int32Array.from({ length: channels * places }, (_, i) => x.ids[Math.floor(i / places)] as number),
  };
}
