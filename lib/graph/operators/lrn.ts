// LRN: y = x / (bias + alpha / size · Σ x²)^beta, the sum over neighbouring channels.
// Krizhevsky, Sutskever & Hinton, "ImageNet Classification with Deep Convolutional Neural Networks".
import { sizeOf } from '../../core/shape.js';
import {
  defineOperator,
  dimsOf,
  floatData,
  floatNumber,
  floatOutput,
  int,
  none,
  required,
  unknown,
} from '../operator.js';

const MAX_RANK = 16;

export const LRN = defineOperator({
  name: 'LRN',
  attributes: { alpha: floatNumber(Math.fround(1e-4)), beta: floatNumber(0.75), bias: floatNumber(1), size: int() },
  inputs: [1, 1],
  outputs: [1, 1],
  ...none('product', 'macs', 'fuses', 'fusion', 'float', 'device'),
  ...none('settings', 'statistics', 'fromTypes', 'openShape', 'upgrades', 'detail'),
  ...unknown('channels', 'samples'),
  unfoldable: 'costly',
  shape: (call) => {
    dimsOf(call, 0, 'an input', 2, MAX_RANK);
    if (!((call.attributes.size ?? 0) >= 1))
      call.fail(`expected a size of at least 1, received ${call.attributes.size}`);
    return [required(call.inputs, 0)];
  },
  forward: (call) => {
    const { alpha, beta, bias, size = 1 } = call.attributes;
    const x = floatData(required(call.inputs, 0), call.fail);
    const output = floatOutput(required(call.outputs, 0));
    const [samples = 1, channels = 1, ...spatial] = output.dims;
    const area = sizeOf(spatial);
    const before = Math.floor((size - 1) / 2);
    const after = Math.ceil((size - 1) / 2);
    const sums = new Float64Array(area);
    for (let n = 0; n < samples; n++) {
      for (let c = 0; c < channels; c++) {
        sums.fill(0);
        for (let other = Math.max(0, c - before); other <= Math.min(channels - 1, c + after); other++) {
          const start = (n * channels + other) * area;
          for (let i = 0; i < area; i++) sums[i] = (sums[i] as number) + (x[start + i] as number) ** 2;
        }
        const start = (n * channels + c) * area;
        for (let i = 0; i < area; i++) {
          output.data[start + i] = (x[start + i] as number) / (bias + (alpha / size) * (sums[i] as number)) ** beta;
        }
      }
    }
    return [output];
  },
});
