// Clip: y = min(max(x, low), high); low and high are optional scalar inputs. Any type of number.
import { binary } from '../../autograd/ops/binary.js';
import { reshape } from '../../autograd/ops/movement.js';
import { unary } from '../../autograd/ops/unary.js';
import { allocate } from '../../tensor/dtype.js';
import { floats, type HostTensor } from '../../tensor/host_tensor.js';
import { knownSize } from '../dims.js';
import type { NodeView } from '../facts.js';
import { defineOperator, none, required } from '../operator.js';
import { giveUp } from './channels.js';
import { without } from './upgrades.js';

/** From here on a bound bounds nothing but infinities: exporters write the largest float for "none". */
const UNBOUNDED = 3.4028234e38;
/** The bounds of floats where a node has none: the least and the largest finite number, by the standard. */
const LARGEST = 3.4028234663852886e38;

/** The bounds where they are constants. */
function boundsOf(node: NodeView): readonly [low: number, high: number] | undefined {
  const [low, high] = [1, 2].map((index) => {
    const absent = index === 1 ? -LARGEST : LARGEST;
    return node.has(index) ? Number(node.constant(index)?.data[0] ?? Number.NaN) : absent;
  }) as [number, number];
  return low <= high ? [low, high] : undefined;
}

export const Clip = defineOperator({
  name: 'Clip',
  attributes: {},
  inputs: [1, 3],
  outputs: [1, 1],
  ...none('product', 'macs', 'fuses'),
  ...none('statistics', 'fromTypes', 'openShape', 'unfoldable', 'detail'),
  // to 10, the bounds were attributes
  upgrades: {
    Clip: (node, call) => {
      if (call.opset >= 11) return node;
      const bound = (name: string) => {
        const value = node.attributes[name] as number | undefined;
        return value === undefined ? '' : call.constant(node, name, floats([], [value]));
      };
      const bounds = [bound('min'), bound('max')];
      return { ...without(node, 'min', 'max', 'consumed_inputs'), inputs: [...node.inputs, ...bounds] };
    },
  },
  device: {
    kind: 'unary',
    use: (node) => {
      const bounds = boundsOf(node);
      return bounds && ['clip', ...bounds];
    },
  },
  samples: 'alone',
  channels: (call) => {
    const bound = (index: number, absent: number) => (call.has(index) ? Number(call.constant(index)?.data[0]) : absent);
    const [low, high] = [bound(1, -UNBOUNDED), bound(2, UNBOUNDED)];
    const relu = (low === 0 || low <= -UNBOUNDED) && (high === 0 || high >= UNBOUNDED);
    return relu ? call.slots(0) : giveUp(call, call.slots(0)); // ReLU6 is not homogeneous
  },
  fusion: { as: 'activation', rectifies: false, bounds: boundsOf },
  settings: [1, 2],
  shape: (call) => {
    const input = required(call.inputs, 0);
    if (input.dtype === 'string' || input.dtype === 'bool') call.fail(`expected numbers, received ${input.dtype}`);
    for (const bound of call.inputs.slice(1)) {
      if (bound && bound.dtype !== input.dtype) call.fail(`expected bounds of ${input.dtype}, received ${bound.dtype}`);
      if (bound && (knownSize(bound.dims) ?? 1) !== 1) call.fail('expected scalar bounds');
    }
    return [input];
  },
  float: (call) => {
    const bound = (index: number, absent: number) => Number(call.host(index)?.data[0] ?? absent);
    const x = required(call.inputs, 0);
    const [low, high] = call.inputs.map((value, index) => (call.host(index) ? undefined : value)).slice(1);
    const clipped = unary(
      call.tape,
      'clip',
      low ? binary(call.tape, 'max', x, reshape(call.tape, low, [])) : x,
      bound(1, -LARGEST),
      bound(2, LARGEST),
    );
    return high ? binary(call.tape, 'min', clipped, reshape(call.tape, high, [])) : clipped;
  },
  forward: (call) => {
    const { dtype, dims, data } = required(call.inputs, 0);
    const absent = dtype === 'float32' ? LARGEST : undefined;
    const [low = absent && -absent, high = absent] = [call.inputs[1]?.data[0], call.inputs[2]?.data[0]];
    const from = data as Float32Array;
    const to = allocate(dtype, from.length) as Float32Array;
    for (let i = 0; i < from.length; i++) {
      let x = from[i] as number;
      if (low !== undefined && x < (low as number)) x = low as number;
      if (high !== undefined && x > (high as number)) x = high as number;
      to[i] = x; // comparisons and stores work on bigints all the same
    }
    return [{ dtype, dims, data: to } as HostTensor];
  },
});
