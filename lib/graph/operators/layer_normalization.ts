// LayerNormalization: each sample's last dimensions (from `axis` on) to mean 0, variance 1, then scale and bias.
// Ba, Kiros & Hinton, arXiv 1607.06450.
import { layerNorm } from '../../autograd/ops/layer_norm.js';
import { toRows } from '../../autograd/ops/layout.js';
import { expand } from '../../autograd/ops/movement.js';
import { sizeOf } from '../../core/shape.js';
import { broadcast, compatible, formatShape } from '../dims.js';
import {
  defineOperator,
  floatData,
  floatNumber,
  floatOutput,
  int,
  none,
  required,
  resolveAxis,
  unknown,
} from '../operator.js';
import { giveUp, normalization } from './channels.js';
import { broadcastOffsets } from './movement.js';

export const LayerNormalization = defineOperator({
  name: 'LayerNormalization',
  since: 17,
  attributes: { axis: int(-1), epsilon: floatNumber(Math.fround(1e-5)), stash_type: int(1) },
  inputs: [2, 3],
  outputs: [1, 3],
  ...none('product', 'macs', 'fuses', 'fusion', 'device'),
  ...none('settings', 'statistics', 'fromTypes', 'openShape', 'unfoldable', 'upgrades', 'detail'),
  ...unknown('samples'),
  channels: (call) => {
    const last = call.dims(0).length - 1;
    const { axis } = call.attributes;
    return axis === -1 || axis === last ? normalization(call, last) : giveUp(call, call.slots(0));
  },
  shape: (call) => {
    const { dtype, dims } = required(call.inputs, 0);
    const axis = resolveAxis(call.attributes.axis, dims.length, dims.length, call.fail);
    const normalized = dims.slice(axis);
    for (const input of call.inputs.slice(1)) {
      const joined = input && broadcast(input.dims, normalized);
      const fits =
        joined?.length === normalized.length && joined.every((dim, i) => compatible(dim, normalized[i] ?? 1));
      if (input && !fits) {
        call.fail(`shape ${formatShape(input.dims)} does not broadcast to ${formatShape(normalized)}`);
      }
    }
    const reduced = dims.map((dim, index) => (index < axis ? dim : 1));
    return [
      { dtype, dims },
      { dtype, dims: reduced },
      { dtype, dims: reduced },
    ];
  },
  float: ({ tape, inputs, attributes, dims, fail }) => {
    const normalized = dims.slice(resolveAxis(attributes.axis, dims.length, dims.length, fail));
    const scale = expand(tape, required(inputs, 1), normalized);
    const shift = inputs[2] && expand(tape, inputs[2], normalized);
    return layerNorm(tape, toRows(tape, required(inputs, 0)), scale, shift, attributes.epsilon);
  },
  forward: (call) => {
    const input = required(call.inputs, 0);
    const x = floatData(input, call.fail);
    const axis = resolveAxis(call.attributes.axis, input.dims.length, input.dims.length, call.fail);
    const normalized = input.dims.slice(axis);
    const size = sizeOf(normalized);
    const [scale, bias] = call.inputs.slice(1).map((value) => {
      if (!value) return undefined;
      return { data: floatData(value, call.fail), offsets: broadcastOffsets(value.dims, normalized) };
    });
    const [output, means, inverses] = call.outputs.map(floatOutput);
    for (let start = 0, row = 0; start < x.length; start += size, row++) {
      let sum = 0;
      for (let i = 0; i < size; i++) sum += x[start + i] as number;
      const mean = sum / size;
      let squares = 0;
      for (let i = 0; i < size; i++) squares += ((x[start + i] as number) - mean) ** 2;
      const inverse = 1 / Math.sqrt(squares / size + call.attributes.epsilon);
      if (means) means.data[row] = mean;
      if (inverses) inverses.data[row] = inverse;
      for (let i = 0; i < size; i++) {
        const factor = scale?.data[scale.offsets[i] as number] as number;
        const shift = bias ? (bias.data[bias.offsets[i] as number] as number) : 0;
        if (output) output.data[start + i] = ((x[start + i] as number) - mean) * inverse * factor + shift;
      }
    }
    return [output, means, inverses].filter((value) => value !== undefined);
  },
});
