// BatchNormalization: y = (x − mean) / √(var + epsilon) · scale + bias, one of each a channel. In training mode the mean
// and (population) variance are the batch's, and the running ones move: running · momentum + batch · (1 − momentum).
// Ioffe & Szegedy, arXiv 1502.03167.
import { batchNorm } from '../../autograd/ops/batch_norm.js';
import type { Value } from '../../autograd/tape.js';
import { sizeOf } from '../../core/shape.js';
import { compatible, type Dim, formatShape } from '../dims.js';
import {
  defineOperator,
  dimsOf,
  floatData,
  floatNumber,
  floatOutput,
  int,
  none,
  required,
  TRAINING_MODE,
} from '../operator.js';
import { CHANNELS, giveUp, normalization } from './channels.js';
import { numberOf, without } from './upgrades.js';
import { asImage, fromImage } from './window.js';

const MAX_RANK = 16;
const PARAMETERS = ['scale', 'bias', 'mean', 'variance'];

export const BatchNormalization = defineOperator({
  name: 'BatchNormalization',
  attributes: {
    epsilon: floatNumber(Math.fround(1e-5)),
    momentum: floatNumber(Math.fround(0.9)),
    training_mode: int(0),
  },
  inputs: [5, 5],
  outputs: [1, 3],
  ...none('product', 'macs', 'device'),
  ...none('fromTypes', 'openShape', 'unfoldable', 'detail'),
  // `spatial` (to 8) normalised every position separately; `is_test` (to 6) is the negation of training_mode;
  // to 13, more than one output meant training.
  upgrades: {
    BatchNormalization: (node, call) => {
      if (numberOf(node, 'spatial', 1) !== 1) call.refuse('attribute spatial: expected 1');
      if (node.outputs.length > 1) call.refuse('training before operator set 14 is not supported');
      return without(node, 'spatial', 'is_test', 'consumed_inputs');
    },
  },
  statistics: [3, 4],
  samples: 'alone',
  channels: (call) => (call.attributes.training_mode ? giveUp(call, call.slots(0)) : normalization(call, CHANNELS)),
  trains: ({ training_mode }) => training_mode !== 0,
  spans: { training_mode: { since: 14 } },
  settings: [3, 4],
  shape: (call) => {
    const x = dimsOf(call, 0, 'an input', 1, MAX_RANK);
    const channels: Dim = x[1] ?? 1;
    PARAMETERS.forEach((what, index) => {
      const { dims } = required(call.inputs, index + 1);
      if (dims.length !== 1 || !compatible(dims[0] as number, channels)) {
        call.fail(`expected ${what} of shape [${channels}], received ${formatShape(dims)} (x: ${formatShape(x)})`);
      }
    });
    if (call.outputCount > 1 && !call.attributes.training_mode) {
      call.fail('running statistics are outputs in training_mode only');
    }
    return [required(call.inputs, 0), required(call.inputs, 3), required(call.inputs, 4)];
  },
  fuses: ['addition', 'relu'],
  fusion: {
    as: 'affine',
    affine: ({ attributes, constant }) => {
      const constants = PARAMETERS.map((_, index) => constant(index + 1));
      if (attributes.training_mode || !constants.every((each) => each?.dtype === 'float32')) return undefined;
      const [scale, shift, center, variance] = constants.map((each) => each?.data as Float32Array) as [
        Float32Array,
        Float32Array,
        Float32Array,
        Float32Array,
      ];
      const factor = Float64Array.from(scale, (s, c) => s / Math.sqrt((variance[c] as number) + attributes.epsilon));
      return { center, factor, shift };
    },
  },
  float: (call) => {
    const { epsilon, momentum } = call.attributes;
    const [x, scale, shift, mean, variance] = call.inputs.map((_, index) => required(call.inputs, index));
    if (!x || !scale || !shift || !mean || !variance) return call.fail('expected five inputs');
    const { tape, relu } = call;
    if (call.attributes.training_mode && !tape.training) call.fail(TRAINING_MODE);
    const normalize = (image: Value, residual: Value | undefined) =>
      batchNorm(tape, image, scale, shift, mean.data, variance.data, { epsilon, momentum, relu, residual });
    if (x.dims.length === 2 || x.dims.length === 4) return normalize(x, call.residual);
    const added = call.residual && asImage(tape, call.residual);
    return fromImage(tape, normalize(asImage(tape, x), added), call.dims);
  },
  forward: (call) => {
    const { epsilon, momentum, training_mode: training } = call.attributes;
    const input = required(call.inputs, 0);
    const x = floatData(input, call.fail);
    const [scale, bias, mean, variance] = PARAMETERS.map((_, i) => floatData(required(call.inputs, i + 1), call.fail));
    const output = floatOutput(required(call.outputs, 0));
    const [samples = 1, channels = 1] = input.dims;
    const size = sizeOf(input.dims.slice(2));
    const running = call.outputs.slice(1).map(floatOutput);
    for (let c = 0; c < channels; c++) {
      let center = mean?.[c] as number;
      let spread = variance?.[c] as number;
      if (training) {
        let sum = 0;
        for (let n = 0; n < samples; n++) {
          for (let i = 0; i < size; i++) sum += x[(n * channels + c) * size + i] as number;
        }
        const batchMean = sum / (samples * size);
        let squares = 0;
        for (let n = 0; n < samples; n++) {
          for (let i = 0; i < size; i++) squares += ((x[(n * channels + c) * size + i] as number) - batchMean) ** 2;
        }
        const batchVariance = squares / (samples * size);
        if (running[0]) running[0].data[c] = center * momentum + batchMean * (1 - momentum);
        if (running[1]) running[1].data[c] = spread * momentum + batchVariance * (1 - momentum);
        [center, spread] = [batchMean, batchVariance];
      }
      const factor = (scale?.[c] as number) / Math.sqrt(spread + epsilon);
      for (let n = 0; n < samples; n++) {
        for (let i = 0; i < size; i++) {
          const at = (n * channels + c) * size + i;
          output.data[at] = ((x[at] as number) - center) * factor + (bias?.[c] as number);
        }
      }
    }
    return [output, ...running];
  },
});
