// Conv: cross-correlation in groups. x: [N, C, …], w: [M, C/group, …kernel], b: [M] → [N, M, …].
import { conv2d } from '../../autograd/ops/conv2d.js';
import { toRows } from '../../autograd/ops/layout.js';
import { compatible, formatShape, sizePerSample } from '../dims.js';
import { defineOperator, dimsOf, floatData, floatOutput, int, none, required } from '../operator.js';
import { CHANNELS, eachChannel, linear } from './channels.js';
import {
  asImage,
  fromImage,
  imageWindow,
  outputsInside,
  threeAxes,
  WINDOW_ATTRIBUTES,
  windowDetail,
  windowOutputDims,
} from './window.js';

export const Conv = defineOperator({
  name: 'Conv',
  attributes: { ...WINDOW_ATTRIBUTES, group: int(1) },
  inputs: [2, 3],
  outputs: [1, 1],
  ...none('fusion', 'device'),
  ...none('settings', 'statistics', 'fromTypes', 'openShape', 'unfoldable', 'upgrades'),
  detail: ({ kernel_shape: kernel, strides, group }, inputs) =>
    windowDetail(kernel ?? (inputs[1]?.dims.slice(2) as number[] | undefined), strides, group),
  samples: 'alone',
  channels: (call) => linear(call, eachChannel(call), 0, 1, CHANNELS),
  product: {
    activation: 0,
    weight: 1,
    addend: 2,
    takes: (dims) => dims.length <= 4,
    form: ({ group, strides = [] }) => {
      const axes = { outAxis: 0, inAxis: 1, channelAxis: 1 };
      return { kind: 'conv', ...axes, groups: group, strides, alpha: 1, beta: 1, transposed: false };
    },
    window: imageWindow,
  },
  shape: (call) => {
    const { group, kernel_shape: declared } = call.attributes;
    const x = dimsOf(call, 0, 'an input', 3, 5);
    const w = dimsOf(call, 1, 'a weight', x.length);
    const [outChannels, groupChannels] = [w[0] as number, w[1] as number];
    const shapes = `x: ${formatShape(x)}, w: ${formatShape(w)}, group ${group}`;
    if (!(group >= 1)) call.fail(`expected a group of at least 1, received ${group}`);
    if (w.some((dim) => typeof dim === 'string'))
      call.fail(`expected a weight of known shape, received ${formatShape(w)}`);
    if (!compatible(x[1] as number, groupChannels * group)) {
      call.fail(`weight has ${groupChannels} input channels in each of ${group} groups, input has ${x[1]} (${shapes})`);
    }
    if (outChannels % group !== 0) call.fail(`${outChannels} output channels do not divide into groups (${shapes})`);
    const kernel = w.slice(2) as number[];
    if (declared && (declared.length !== kernel.length || declared.some((size, axis) => size !== kernel[axis]))) {
      call.fail(`kernel_shape [${declared}] is not the weight's (${shapes})`);
    }
    const b = call.inputs[2];
    if (b && (b.dims.length !== 1 || !compatible(b.dims[0] as number, outChannels))) {
      call.fail(`expected a bias of shape [${outChannels}], received ${formatShape(b.dims)}`);
    }
    const spatial = windowOutputDims(call.attributes, x.slice(2), kernel, call.fail);
    return [{ dtype: required(call.inputs, 0).dtype, dims: [x[0] as number, outChannels, ...spatial] }];
  },
  macs: (_attributes, inputs, output) => {
    const [, ...perOutput] = required(inputs, 1).dims;
    return sizePerSample(output.dims) * sizePerSample(perOutput);
  },
  fuses: ['addition', 'clip'],
  float: (call) => {
    const [x, w, b] = [required(call.inputs, 0), required(call.inputs, 1), call.inputs[2]];
    const moved = imageWindow(call.attributes, x.dims, w.dims.slice(2), call.fail);
    if (!moved) return undefined;
    const window = { ...moved, groups: call.attributes.group };
    const { tape } = call;
    const image = asImage(tape, x);
    const residual = call.residual && asImage(tape, call.residual);
    const followed = { bounds: call.clip, residual, residualEnds: call.residualEnds };
    const y = conv2d(tape, call.state.convolutions, image, asImage(tape, toRows(tape, w)), b, window, followed);
    return fromImage(tape, y, call.dims);
  },
  forward: (call) => {
    const [input, weight] = [required(call.inputs, 0), required(call.inputs, 1)];
    const x = floatData(input, call.fail);
    const w = floatData(weight, call.fail);
    const bias = call.inputs[2] && floatData(call.inputs[2], call.fail);
    const output = floatOutput(required(call.outputs, 0));
    const [samples, channels] = input.dims as [number, number];
    const [outChannels, groupChannels] = weight.dims as [number, number];
    const [d, h, v] = threeAxes(call.attributes, input.dims.slice(2), weight.dims.slice(2), call.fail);
    const taps = d.kernel * h.kernel * v.kernel;
    const inSize = d.input * h.input * v.input;
    const sums = new Float64Array(d.output * h.output * v.output);
    for (let n = 0; n < samples; n++) {
      for (let m = 0; m < outChannels; m++) {
        const firstChannel = Math.floor((m * call.attributes.group) / outChannels) * groupChannels;
        sums.fill(bias?.[m] ?? 0);
        for (let c = 0; c < groupChannels; c++) {
          const plane = (n * channels + firstChannel + c) * inSize;
          for (let tap = 0; tap < taps; tap++) {
            const kd = Math.floor(tap / (h.kernel * v.kernel));
            const kh = Math.floor(tap / v.kernel) % h.kernel;
            const kw = tap % v.kernel;
            const value = w[(m * groupChannels + c) * taps + tap] as number;
            const [dFirst, dEnd] = outputsInside(d, kd);
            const [hFirst, hEnd] = outputsInside(h, kh);
            const [wFirst, wEnd] = outputsInside(v, kw);
            for (let od = dFirst; od < dEnd; od++) {
              const id = od * d.stride - d.padBegin + kd * d.dilation;
              for (let oh = hFirst; oh < hEnd; oh++) {
                const ih = oh * h.stride - h.padBegin + kh * h.dilation;
                const inRow = plane + (id * h.input + ih) * v.input - v.padBegin + kw * v.dilation;
                const outRow = (od * h.output + oh) * v.output;
                addScaled(sums, outRow + wFirst, x, inRow + wFirst * v.stride, v.stride, wEnd - wFirst, value);
              }
            }
          }
        }
        output.data.set(sums, (n * outChannels + m) * sums.length);
      }
    }
    return [output];
  },
});

type Floats = Float32Array | Float64Array;

/** sums[at + i] += factor · x[from + i·stride], count times. */
function addScaled(
  sums: Float64Array,
  at: number,
  x: Floats,
  from: number,
  stride: number,
  count: number,
  factor: number,
): void {
  for (let i = 0; i < count; i++) sums[at + i] = (sums[at + i] as number) + factor * (x[from + i * stride] as number);
}
