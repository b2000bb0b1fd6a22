// Concat: inputs one after the other along an axis.
import { concat } from '../../autograd/ops/movement.js';
import { sizeOf } from '../../core/shape.js';
import { type HostTensor, zeros } from '../../tensor/host_tensor.js';
import { compatible, type Dim, formatShape, merge, UNKNOWN } from '../dims.js';
import type { Slots } from '../facts.js';
import { defineOperator, int, none, required, resolveAxis, unknown, VARIADIC } from '../operator.js';
import { giveUp } from './channels.js';
import { numberOf } from './upgrades.js';

export const Concat = defineOperator({
  name: 'Concat',
  attributes: { axis: int() },
  inputs: VARIADIC,
  outputs: [1, 1],
  ...none('product', 'macs', 'fuses', 'fusion', 'device'),
  ...none('settings', 'statistics', 'fromTypes', 'openShape', 'unfoldable', 'detail'),
  ...unknown('samples'),
  // to 3, the axis had a default
  upgrades: {
    Concat: (node, call) =>
      call.opset >= 4 ? node : { ...node, attributes: { ...node.attributes, axis: numberOf(node, 'axis', 1) } },
  },
  channels: (call) => {
    const rank = call.outputDims.length;
    const from = call.attributes.axis ?? 0;
    const axis = from < 0 ? from + rank : from;
    const all = Array.from({ length: call.inputCount }, (_, index) => call.slots(index));
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
    // An input that must keep its scale still keeps it.
    const ids = all.flatMap((slots, i) => [...(slots ?? call.pinned(axis, sizes[i] as number)).ids]);
    return { axis, ids: Int32Array.from(ids) };
  },
  shape: (call) => {
    const first = required(call.inputs, 0);
    if (call.attributes.axis === undefined) return call.fail('expected attribute axis, received none');
    const axis = resolveAxis(call.attributes.axis, first.dims.length, first.dims.length, call.fail);
    const dims: Dim[] = [...first.dims];
    call.inputs.slice(1).forEach((_, index) => {
      const input = required(call.inputs, index + 1);
      const fits =
        input.dims.length === dims.length && input.dims.every((dim, i) => i === axis || compatible(dim, dims[i] ?? 1));
      if (!fits || input.dtype !== first.dtype) {
        const shapes = `${first.dtype} ${formatShape(first.dims)} and ${input.dtype} ${formatShape(input.dims)}`;
        call.fail(`cannot join ${shapes} along axis ${axis}`);
      }
      input.dims.forEach((dim, i) => {
        const size = dims[i] as Dim;
        if (i !== axis) dims[i] = merge(size, dim);
        else dims[i] = typeof size === 'number' && typeof dim === 'number' ? size + dim : UNKNOWN;
      });
    });
    return [{ dtype: first.dtype, dims }];
  },
  float: (call) => {
    const inputs = call.inputs.map((_, index) => required(call.inputs, index));
    const rank = call.dims.length;
    return concat(call.tape, inputs, resolveAxis(call.attributes.axis ?? 0, rank, rank, call.fail));
  },
  forward: (call) => {
    const { dtype, dims } = required(call.outputs, 0);
    const output = zeros(dtype, dims);
    const to = output.data as unknown as unknown[];
    const axis = resolveAxis(call.attributes.axis ?? 0, dims.length, dims.length, call.fail);
    const row = sizeOf(dims.slice(axis));
    let start = 0;
    for (const input of call.inputs as readonly HostTensor[]) {
      const from = input.data as ArrayLike<unknown>;
      const width = sizeOf(input.dims.slice(axis));
      for (let i = 0; i < from.length; i++) to[Math.floor(i / width) * row + start + (i % width)] = from[i];
      start += width;
    }
    return [output];
  },
});
