// GlobalAveragePool and GlobalMaxPool: one figure over all spatial dimensions. [N, C, …] → [N, C, 1, …].
import { averagePool2d, maxPool2d } from '../../autograd/ops/pool2d.js';
import type { Tape, Value } from '../../autograd/tape.js';
import { sizeOf } from '../../core/shape.js';
import type { ImageWindow } from '../../native/geometry.js';
import type { Samplewise } from '../facts.js';
import { defineOperator, dimsOf, floatData, floatOutput, none, required } from '../operator.js';
import { eachChannel } from './channels.js';
import { asImage, fromImage, wholeWindow } from './window.js';

const MAX_RANK = 16;

function globalPool(
  name: string,
  kind: 'largest' | 'mean',
  samples: Samplewise,
  pool: (tape: Tape, x: Value, window: ImageWindow) => Value,
  start: number,
  fold: (total: number, x: number) => number,
  finish: (total: number, count: number) => number = (total) => total,
) {
  return defineOperator({
    name,
    attributes: {},
    inputs: [1, 1],
    outputs: [1, 1],
    ...none('product', 'macs', 'fuses', 'fusion'),
    ...none('settings', 'statistics', 'fromTypes', 'openShape', 'unfoldable', 'upgrades', 'detail'),
    device: { kind: 'pool', pool: () => kind, window: (_attributes, dims) => wholeWindow(dims) },
    samples,
    channels: eachChannel,
    shape: (call) => {
      const x = dimsOf(call, 0, 'an input', 2, MAX_RANK);
      return [{ dtype: required(call.inputs, 0).dtype, dims: x.map((dim, axis) => (axis < 2 ? dim : 1)) }];
    },
    float: (call) => {
      const x = asImage(call.tape, required(call.inputs, 0));
      return fromImage(call.tape, pool(call.tape, x, wholeWindow(x.dims)), call.dims);
    },
    forward: (call) => {
      const input = required(call.inputs, 0);
      const x = floatData(input, call.fail);
      const output = floatOutput(required(call.outputs, 0));
      const size = sizeOf(input.dims.slice(2));
      for (let plane = 0; plane < output.data.length; plane++) {
        let total = start;
        for (let i = 0; i < size; i++) total = fold(total, x[plane * size + i] as number);
        output.data[plane] = finish(total, size);
      }
      return [output];
    },
  });
}

export const GlobalAveragePool = globalPool(
  'GlobalAveragePool',
  'mean',
  'alone',
  (tape, x, window) => averagePool2d(tape, x, window, false),
  0,
  (sum, x) => sum + x,
  (sum, count) => sum / count,
);

export const GlobalMaxPool = globalPool(
  'GlobalMaxPool',
  'largest',
  'unknown',
  maxPool2d,
  Number.NEGATIVE_INFINITY,
  (most, x) => Math.max(most, x),
);
