// What each operator does to the scale of channels. Scales are positive. An operator without a rule pins what it reads:
// Sigmoid, Softmax, Gelu, … are other functions of a scaled input. Second outputs (indices, masks) do not scale.
import { knownSize } from '../dims.js';
import { type ChannelRule, type NodeTrace, PINNED, type Slots } from './trace.js';

/** From here on a bound of Clip bounds nothing: exporters write the largest float for "none". */
const UNBOUNDED = 3.4028234e38;
const CHANNELS = 1;

function giveUp(call: NodeTrace, ...inputs: (Slots | undefined)[]): undefined {
  for (const slots of inputs) call.pin(slots);
  return undefined;
}

/** f(c · x) = c · f(x) for every element. */
const homogeneous: ChannelRule = (call) => call.slots(0);

/** Slopes below zero are no scales: they stay. */
const prelu: ChannelRule = (call) => {
  const same = JSON.stringify(call.dims(0)) === JSON.stringify(call.outputDims);
  return same && !call.slots(1) ? call.slots(0) : giveUp(call, call.slots(0), call.slots(1));
};

/** Works on each channel of [N, C, …] by itself. */
const perChannel: ChannelRule = (call) => {
  const x = call.slots(0);
  return x?.axis === CHANNELS ? x : giveUp(call, x);
};

/** The product's constants, where each can be scaled: the weight along `outAxis` and a bias along its last axis. */
function linear(call: NodeTrace, x: Slots | undefined, outAxis: number, inAxis: number, valueAxis: number) {
  const weight = call.own(1);
  if (!weight) return giveUp(call, x);
  call.reads(1, inAxis, x);
  const channels = weight.dims[outAxis] as number;
  const bias = call.own(2);
  if (call.has(2) && bias?.dims.at(-1) !== channels) {
    call.makes(1, outAxis, { ids: new Int32Array(channels).fill(PINNED) });
    return undefined;
  }
  const y = call.fresh(valueAxis, channels);
  call.makes(1, outAxis, y);
  if (bias) call.shifts(2, bias.dims.length - 1, y);
  return y;
}

const conv: ChannelRule = (call) => linear(call, perChannel(call), 0, 1, CHANNELS);

const gemm: ChannelRule = (call) => {
  const x = call.slots(0);
  const [outAxis, inAxis] = call.attributes.transB ? [0, 1] : [1, 0];
  if (call.attributes.transA || x?.axis === 0) return giveUp(call, x, call.slots(1), call.slots(2));
  giveUp(call, call.slots(1), call.slots(2));
  return linear(call, x, outAxis, inAxis, 1);
};

const matmul: ChannelRule = (call) => {
  const x = call.slots(0);
  const rank = call.dims(0).length;
  const plain = rank > 1 && call.dims(1).length === 2 && (!x || x.axis === rank - 1);
  return plain ? linear(call, x, 1, 0, rank - 1) : giveUp(call, x, call.slots(1));
};

/** Scale and shift of a normalisation: what comes in keeps its scale, what goes out is scaled by them. */
function normalization(call: NodeTrace, axis: number): Slots | undefined {
  call.pin(call.slots(0));
  const [scale, shift] = [call.own(1), call.own(2)];
  if (scale?.dims.length !== 1 || (call.has(2) && shift?.dims.length !== 1)) return undefined;
  const y = call.fresh(axis, scale.dims[0] as number);
  call.makes(1, 0, y);
  if (shift) call.shifts(2, 0, y);
  return y;
}

const batchNormalization: ChannelRule = (call) => {
  return call.attributes.training_mode ? giveUp(call, call.slots(0)) : normalization(call, CHANNELS);
};

const layerNormalization: ChannelRule = (call) => {
  const last = call.dims(0).length - 1;
  const { axis } = call.attributes as unknown as { axis: number };
  return axis === -1 || axis === last ? normalization(call, last) : giveUp(call, call.slots(0));
};

const clip: ChannelRule = (call) => {
  const bound = (index: number, absent: number) => (call.has(index) ? Number(call.constant(index)?.data[0]) : absent);
  const [low, high] = [bound(1, -UNBOUNDED), bound(2, UNBOUNDED)];
  const relu = (low === 0 || low <= -UNBOUNDED) && (high === 0 || high >= UNBOUNDED);
  return relu ? call.slots(0) : giveUp(call, call.slots(0)); // ReLU6 is not homogeneous
};

/** x + constant: the constant is scaled too, when it has one number (or more) for each channel. */
function addConstant(call: NodeTrace, x: Slots, value: number, constant: number): Slots | undefined {
  const tensor = call.own(constant);
  const rank = call.dims(value).length;
  if (!tensor || rank !== call.outputDims.length) return giveUp(call, x);
  const axis = x.axis - rank + tensor.dims.length;
  if (tensor.dims[axis] !== x.ids.length) return giveUp(call, x);
  call.shifts(constant, axis, x);
  return x;
}

const add: ChannelRule = (call) => {
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
};

/** x · y or x / y where only x may be rescaled. */
function scaled(call: NodeTrace, index: number): Slots | undefined {
  const x = call.slots(index) as Slots;
  const rank = call.outputDims.length;
  const axis = x.axis + rank - call.dims(index).length;
  const size = call.outputDims[axis];
  if (size === x.ids.length) return { axis, ids: x.ids };
  return typeof size === 'number' && x.ids.length === 1
    ? { axis, ids: new Int32Array(size).fill(x.ids[0] as number) }
    : giveUp(call, x);
}

const mul: ChannelRule = (call) => {
  const [a, b] = [call.slots(0), call.slots(1)];
  if (a && b) return giveUp(call, a, b);
  return a || b ? scaled(call, a ? 0 : 1) : undefined;
};

const div: ChannelRule = (call) => {
  const [a, b] = [call.slots(0), call.slots(1)];
  return a && !b ? scaled(call, 0) : giveUp(call, a, b);
};

const concat: ChannelRule = (call) => {
  const rank = call.outputDims.length;
  const given = call.attributes.axis as unknown as number;
  const axis = given < 0 ? given + rank : given;
  const all = call.node.inputs.map((_, index) => call.slots(index));
  const channelAxis = all.find((slots) => slots)?.axis;
  if (channelAxis === undefined) return undefined;
  if (all.some((slots) => slots && slots.axis !== channelAxis)) return giveUp(call, ...all);
  if (axis !== channelAxis) {
    const [first, ...others] = all;
    if (!first || others.some((slots) => slots?.ids.length !== first.ids.length)) return giveUp(call, ...all);
    for (const slots of others) call.tie(first, slots as Slots);
    return first;
  }
  const sizes = all.map((slots, index) => slots?.ids.length ?? call.dims(index)[axis]);
  if (!sizes.every((size) => typeof size === 'number')) return giveUp(call, ...all);
  // An input that must keep its scale goes on doing so.
  const ids = all.flatMap((slots, i) => [...(slots?.ids ?? new Int32Array(sizes[i] as number).fill(PINNED))]);
  return { axis, ids: Int32Array.from(ids) };
};

/**
 * Another shape for the same elements in the same order. A channel's places stay behind its axis, or join it: then each
 * is a feature of the channel's scale.
 */
const reshaping: ChannelRule = (call) => {
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
};

const transpose: ChannelRule = (call) => {
  const x = call.slots(0);
  if (!x) return undefined;
  const rank = call.dims(0).length;
  const perm = (call.attributes.perm as readonly number[] | undefined) ?? [...call.dims(0).keys()].reverse();
  const axis = perm.map((from) => (from < 0 ? from + rank : from)).indexOf(x.axis);
  return axis < 0 ? giveUp(call, x) : { axis, ids: x.ids };
};

const reduce: ChannelRule = (call) => {
  const x = call.slots(0);
  if (!x) return undefined;
  const rank = call.dims(0).length;
  const known = !call.has(1) || call.constant(1);
  const given =
    (call.attributes.axes as readonly number[] | undefined) ?? Array.from(call.constant(1)?.data ?? [], Number);
  const reduced = given.map((axis) => (axis < 0 ? axis + rank : axis));
  if (!known || given.length === 0 || reduced.includes(x.axis)) return giveUp(call, x);
  const gone = call.attributes.keepdims ? 0 : reduced.filter((axis) => axis < x.axis).length;
  return { axis: x.axis - gone, ids: x.ids };
};

const pad: ChannelRule = (call) => {
  const x = call.slots(0);
  if (!x) return undefined;
  const rank = call.dims(0).length;
  const pads = Array.from(call.constant(1)?.data ?? [], Number);
  const zero = !call.has(2) || Number(call.constant(2)?.data[0]) === 0;
  const [before, after] = [pads[x.axis] ?? 0, pads[x.axis + rank] ?? 0];
  const filled = (call.attributes.mode as unknown as string) === 'constant';
  if (pads.length !== 2 * rank || call.has(3) || (filled && !zero)) return giveUp(call, x);
  if (before === 0 && after === 0) return x;
  if (before < 0 || after < 0 || !filled) return giveUp(call, x);
  // Channels of zeros have no scale of their own.
  return { axis: x.axis, ids: Int32Array.from([...call.fresh(0, before).ids, ...x.ids, ...call.fresh(0, after).ids]) };
};

export const CHANNEL_RULES: ReadonlyMap<string, ChannelRule> = new Map(
  Object.entries({
    Conv: conv,
    Gemm: gemm,
    MatMul: matmul,
    BatchNormalization: batchNormalization,
    LayerNormalization: layerNormalization,
    Relu: homogeneous,
    Identity: homogeneous,
    Dropout: homogeneous,
    LeakyRelu: homogeneous,
    Abs: homogeneous,
    Neg: homogeneous,
    Clip: clip,
    MaxPool: perChannel,
    AveragePool: perChannel,
    GlobalAveragePool: perChannel,
    GlobalMaxPool: perChannel,
    PRelu: prelu,
    ReduceMean: reduce,
    ReduceSum: reduce,
    ReduceMax: reduce,
    ReduceMin: reduce,
    Add: add,
    Sub: add,
    Mul: mul,
    Div: div,
    Concat: concat,
    Flatten: reshaping,
    Reshape: reshaping,
    Squeeze: reshaping,
    Unsqueeze: reshaping,
    Transpose: transpose,
    Pad: pad,
  }),
);
