// InstanceNormalization: each channel of each sample to mean 0, variance 1, then its scale and bias.
// Ulyanov, Vedaldi & Lempitsky, arXiv 1607.08022.
import { binary } from '../../autograd/ops/binary.js';
import { layerNorm } from '../../autograd/ops/layer_norm.js';
import { reshape } from '../../autograd/ops/movement.js';
import { sizeOf } from '../../core/shape.js';
import { compatible, formatShape } from '../dims.js';
import { defineOperator, dimsOf, floatData, floatNumber, floatOutput, none, required, unknown } from '../operator.js';

const MAX_RANK = 16;

export const InstanceNormalization = defineOperator({
  name: 'InstanceNormalization',
  attributes: { epsilon: floatNumber(Math.fround(1e-5)) },
  inputs: [3, 3],
  outputs: [1, 1],
  ...none('product', 'macs', 'fuses', 'fusion', 'device'),
  ...none('settings', 'statistics', 'fromTypes', 'openShape', 'unfoldable', 'upgrades', 'detail'),
  ...unknown('channels', 'samples'),
  shape: (call) => {
    const x = dimsOf(call, 0, 'an input', 3, MAX_RANK);
    for (const index of [1, 2]) {
      const { dims } = required(call.inputs, index);
      if (dims.length !== 1 || !compatible(dims[0] ?? 1, x[1] ?? 1)) {
        call.fail(`expected scale and bias of shape [${x[1]}], received ${formatShape(dims)}`);
      }
    }
    return [required(call.inputs, 0)];
  },
  float: ({ tape, inputs, attributes }) => {
    const [x, scale, shift] = [0, 1, 2].map((index) => required(inputs, index)) as [never, never, never];
    const { dims } = required(inputs, 0);
    const [samples = 1, channels = 1, ...spatial] = dims;
    const size = sizeOf(spatial);
    const rows = reshape(tape, x, [samples * channels, size]);
    const ones = tape.constant(new Float32Array(size).fill(1), [size]);
    const normalized = reshape(tape, layerNorm(tape, rows, ones, undefined, attributes.epsilon), dims);
    const each = [channels, ...spatial.map(() => 1)];
    const scaled = binary(tape, 'mul', normalized, reshape(tape, scale, each));
    return binary(tape, 'add', scaled, reshape(tape, shift, each));
  },
  forward: (call) => {
    const [input, scale, bias] = [0, 1, 2].map((index) => floatData(required(call.inputs, index), call.fail));
    const output = floatOutput(required(call.outputs, 0));
    const [, channels = 1, ...spatial] = output.dims;
    const size = sizeOf(spatial);
    const x = input as Float32Array;
    for (let start = 0, plane = 0; start < x.length; start += size, plane++) {
      let sum = 0;
      for (let i = 0; i < size; i++) sum += x[start + i] as number;
      const mean = sum / size;
      let squares = 0;
      for (let i = 0; i < size; i++) squares += ((x[start + i] as number) - mean) ** 2;
      const factor = (scale?.[plane % channels] as number) / Math.sqrt(squares / size + call.attributes.epsilon);
      for (let i = 0; i < size; i++) {
        output.data[start + i] = ((x[start + i] as number) - mean) * factor + (bias?.[plane % channels] as number);
      }
    }
    return [output];
  },
});
