// Split: parts of a tensor one after the other along an axis, of the sizes in its input or of equal size (the last one
// smaller).
import { slice as floatSlice } from '../../autograd/ops/movement.js';
import { stridesOf } from '../../core/shape.js';
import type { HostTensor } from '../../tensor/host_tensor.js';
import { type Dim, UNKNOWN } from '../dims.js';
import { defineOperator, int, integersOf, MAX_OUTPUTS, none, required, resolveAxis, unknown } from '../operator.js';
import { offsetsOf, take } from './movement.js';
import { attributeToInput } from './upgrades.js';

type Fail = (what: string) => never;

/** Sizes of the parts; undefined where the axis has no number and the parts are not listed. */
function sizesOf(
  listed: HostTensor | undefined,
  count: number,
  size: Dim,
  expected: number | undefined,
  fail: Fail,
): number[] | undefined {
  if (listed) {
    const sizes = integersOf(listed, 'sizes', fail);
    const sum = sizes.reduce((total, part) => total + part, 0);
    if (sizes.length !== count || sizes.some((part) => part < 0) || (typeof size === 'number' && sum !== size)) {
      fail(`cannot split ${size} into ${count} parts of [${sizes}]`);
    }
    return sizes;
  }
  if (typeof size !== 'number') return undefined;
  if (expected !== undefined && expected !== count) fail(`num_outputs ${expected}, but ${count} outputs`);
  const part = Math.ceil(size / count);
  if (expected === undefined && part * count !== size) fail(`cannot split ${size} into ${count} equal parts`);
  return Array.from({ length: count }, (_, index) => Math.max(0, Math.min(part, size - index * part)));
}

export const Split = defineOperator({
  name: 'Split',
  attributes: { axis: int(0), num_outputs: int() },
  inputs: [1, 2],
  outputs: [1, MAX_OUTPUTS],
  ...none('product', 'macs', 'fuses', 'fusion', 'device'),
  ...none('statistics', 'fromTypes', 'openShape', 'unfoldable', 'detail'),
  ...unknown('channels', 'samples'),
  upgrades: { Split: attributeToInput('split') },
  spans: { num_outputs: { since: 18 } },
  settings: [1],
  shape: (call) => {
    const { dtype, dims } = required(call.inputs, 0);
    const axis = resolveAxis(call.attributes.axis, dims.length, dims.length, call.fail);
    const listed = call.constant(1);
    const known = listed || !call.inputs[1];
    const sizes = known && sizesOf(listed, call.outputCount, dims[axis] as Dim, call.attributes.num_outputs, call.fail);
    return Array.from({ length: call.outputCount }, (_, index) => {
      return { dtype, dims: dims.map((dim, i) => (i !== axis ? dim : sizes ? (sizes[index] as Dim) : UNKNOWN)) };
    });
  },
  eachOutput: true,
  float: (call) => {
    const x = required(call.inputs, 0);
    const axis = resolveAxis(call.attributes.axis, x.dims.length, x.dims.length, call.fail);
    const size = x.dims[axis] as number;
    const sizes = sizesOf(call.host(1), call.outputCount, size, call.attributes.num_outputs, call.fail) as number[];
    const starts = x.dims.map(() => 0);
    starts[axis] = sizes.slice(0, call.output).reduce((sum, part) => sum + part, 0);
    return floatSlice(
      call.tape,
      x,
      starts,
      x.dims.map(() => 1),
      call.dims,
    );
  },
  forward: (call) => {
    const input = required(call.inputs, 0);
    const axis = resolveAxis(call.attributes.axis, input.dims.length, input.dims.length, call.fail);
    const strides = stridesOf(input.dims);
    let start = 0;
    return call.outputs.map(({ dims }) => {
      const offsets = offsetsOf(dims, strides);
      for (let i = 0; i < offsets.length; i++) offsets[i] = (offsets[i] as number) + start;
      start += (dims[axis] as number) * (strides[axis] as number);
      return take(input, offsets, dims);
    });
  },
});
