// ConvTranspose: maps a convolution's output gradient to its input gradient. x: [N, C, …], w: [C, M/group, …kernel],
// b: [M] → [N, M, …]. Zeiler et al., "Deconvolutional networks".
import { type ConvWindow, convTranspose2d } from '../../autograd/ops/conv2d.js';
import { reshape } from '../../autograd/ops/movement.js';
import { sizeOf } from '../../core/shape.js';
import { compatible, formatShape, mapDim, sizePerSample } from '../dims.js';
import { defineOperator, dimsOf, floatData, floatOutput, int, ints, none, required, unknown } from '../operator.js';
import { asImage, fromImage, WINDOW_ATTRIBUTES, type WindowAttributes, windowDetail } from './window.js';

interface TransposeAttributes extends WindowAttributes {
  readonly output_padding?: readonly number[] | undefined;
  readonly output_shape?: readonly number[] | undefined;
}

interface TransposeAxis {
  readonly stride: number;
  readonly dilation: number;
  readonly kernel: number;
  readonly padBegin: number;
  readonly padEnd: number;
  readonly output: number;
}

type Fail = (what: string) => never;

/** One spatial axis: output o receives input i by window element k where o = i·stride − padBegin + k·dilation. */
function axesOf(
  attributes: TransposeAttributes,
  spatial: readonly number[],
  kernels: readonly number[],
  fail: Fail,
): TransposeAxis[] {
  const rank = spatial.length;
  const list = (values: readonly number[] | undefined, length: number, absent: number, least: number, what: string) => {
    const list = values ?? new Array<number>(length).fill(absent);
    if (list.length !== length || list.some((value) => !(value >= least))) {
      fail(`expected ${length} ${what} of at least ${least}, received [${list}]`);
    }
    return list;
  };
  const strides = list(attributes.strides, rank, 1, 1, 'strides');
  const dilations = list(attributes.dilations, rank, 1, 1, 'dilations');
  const pads = list(attributes.pads, 2 * rank, 0, 0, 'pads');
  const extra = list(attributes.output_padding, rank, 0, 0, 'output_padding');
  const sizes = attributes.output_shape?.slice(-rank);
  const same = attributes.auto_pad.startsWith('SAME');
  return spatial.map((input, axis) => {
    const [stride, dilation, kernel] = [strides, dilations, kernels].map((of) => of[axis] as number) as [
      number,
      number,
      number,
    ];
    const added = extra[axis] as number;
    if (added > 0 && added >= Math.max(stride, dilation)) fail(`output_padding ${added} is not below stride ${stride}`);
    const full = stride * (input - 1) + added + (kernel - 1) * dilation + 1;
    if (!same && !sizes) {
      const valid = attributes.auto_pad === 'VALID';
      const padBegin = valid ? 0 : (pads[axis] as number);
      const padEnd = valid ? 0 : (pads[axis + rank] as number);
      return { stride, dilation, kernel, padBegin, padEnd, output: full - padBegin - padEnd };
    }
    const output = sizes ? (sizes[axis] as number) : input * stride;
    const total = Math.max(0, full - output);
    const small = Math.floor(total / 2);
    const padBegin = attributes.auto_pad === 'SAME_UPPER' ? small : total - small;
    return { stride, dilation, kernel, padBegin, padEnd: total - padBegin, output };
  });
}

export const ConvTranspose = defineOperator({
  name: 'ConvTranspose',
  attributes: { ...WINDOW_ATTRIBUTES, group: int(1), output_padding: ints(), output_shape: ints() },
  inputs: [2, 3],
  outputs: [1, 1],
  ...none('product', 'fuses', 'fusion', 'device'),
  ...none('settings', 'statistics', 'fromTypes', 'openShape', 'unfoldable', 'upgrades'),
  ...unknown('channels', 'samples'),
  detail: ({ kernel_shape: kernel, strides, group }) => windowDetail(kernel, strides, group),
  shape: (call) => {
    const { group, kernel_shape: declared } = call.attributes;
    const x = dimsOf(call, 0, 'an input', 3, 5);
    const w = dimsOf(call, 1, 'a weight', x.length);
    if (w.some((dim) => typeof dim === 'string'))
      call.fail(`expected a weight of known shape, received ${formatShape(w)}`);
    const [channels, groupOut, ...kernel] = w as number[];
    const shapes = `x: ${formatShape(x)}, w: ${formatShape(w)}, group ${group}`;
    if (!(group >= 1) || (channels as number) % group !== 0)
      call.fail(`channels do not divide into groups (${shapes})`);
    if (!compatible(x[1] as number, channels as number)) call.fail(`weight and input disagree on channels (${shapes})`);
    if (declared && String(declared) !== String(kernel)) call.fail(`kernel_shape [${declared}] is not the weight's`);
    const outChannels = (groupOut as number) * group;
    const b = call.inputs[2];
    if (b && (b.dims.length !== 1 || !compatible(b.dims[0] as number, outChannels))) {
      call.fail(`expected a bias of shape [${outChannels}], received ${formatShape(b.dims)}`);
    }
    const known = x.slice(2).map((dim) => (typeof dim === 'number' ? dim : 1));
    const axes = axesOf(call.attributes, known, kernel, call.fail);
    const spatial = x.slice(2).map((dim, axis) => mapDim(dim, () => axes[axis]?.output as number));
    if (spatial.some((size) => typeof size === 'number' && size < 1))
      call.fail(`its output would be empty (${shapes})`);
    return [{ dtype: required(call.inputs, 0).dtype, dims: [x[0] as number, outChannels, ...spatial] }];
  },
  macs: (_attributes, inputs) => {
    const [, ...perInput] = required(inputs, 1).dims;
    return sizePerSample(required(inputs, 0).dims) * sizePerSample(perInput);
  },
  float: (call) => {
    const [x, w] = [required(call.inputs, 0), required(call.inputs, 1)];
    if (x.dims.length > 4) return undefined;
    const axes = axesOf(call.attributes, x.dims.slice(2), w.dims.slice(2), call.fail);
    const one: TransposeAxis = { stride: 1, dilation: 1, kernel: 1, padBegin: 0, padEnd: 0, output: 1 };
    const [h, v] = axes.length === 1 ? [one, axes[0] as TransposeAxis] : (axes as [TransposeAxis, TransposeAxis]);
    // As padding of a convolution it must give the input's size: output_padding reduces it.
    const padEnd = ({ stride, dilation, kernel, padBegin, output }: TransposeAxis, input: number) =>
      stride * (input - 1) + (kernel - 1) * dilation + 1 - output - padBegin;
    const image = asImage(call.tape, x);
    const [, , inHeight = 1, inWidth = 1] = image.dims;
    const ends = [padEnd(h, inHeight), padEnd(v, inWidth)] as const;
    if (-ends[0] >= h.stride || -ends[1] >= v.stride) return undefined; // a convolution would have more outputs
    const window: ConvWindow = {
      strides: [h.stride, v.stride],
      pads: [h.padBegin, v.padBegin, Math.max(0, ends[0]), Math.max(0, ends[1])],
      dilations: [h.dilation, v.dilation],
      groups: call.attributes.group,
    };
    const weight = w.dims.length === 3 ? reshape(call.tape, w, [w.dims[0] ?? 1, w.dims[1] ?? 1, 1, w.dims[2] ?? 1]) : w;
    const y = convTranspose2d(call.tape, call.state.convolutions, image, weight, call.inputs[2], window, [
      h.output,
      v.output,
    ]);
    return fromImage(call.tape, y, call.dims);
  },
  forward: (call) => {
    const [input, weight] = [required(call.inputs, 0), required(call.inputs, 1)];
    const x = floatData(input, call.fail);
    const w = floatData(weight, call.fail);
    const bias = call.inputs[2] && floatData(call.inputs[2], call.fail);
    const output = floatOutput(required(call.outputs, 0));
    const axes = axesOf(call.attributes, input.dims.slice(2), weight.dims.slice(2), call.fail);
    const [samples = 0, channels = 0, ...spatial] = input.dims;
    const [, groupOut = 0, ...kernel] = weight.dims;
    const [, outChannels = 0, ...outSpatial] = output.dims;
    const [inSize, taps, outSize] = [spatial, kernel, outSpatial].map(sizeOf) as [number, number, number];
    const perGroup = channels / call.attributes.group;
    const sums = new Float64Array(outSize);
    for (let n = 0; n < samples; n++) {
      for (let m = 0; m < outChannels; m++) {
        sums.fill(bias?.[m] ?? 0);
        const group = Math.floor(m / groupOut);
        for (let c = group * perGroup; c < (group + 1) * perGroup; c++) {
          for (let i = 0; i < inSize; i++) {
            const value = x[(n * channels + c) * inSize + i] as number;
            for (let tap = 0; tap < taps; tap++) {
              const at = target(axes, spatial, i, tap);
              const factor = w[(c * groupOut + (m % groupOut)) * taps + tap] as number;
              if (at >= 0) sums[at] = (sums[at] as number) + value * factor;
            }
          }
        }
        output.data.set(sums, (n * outChannels + m) * outSize);
      }
    }
    return [output];
  },
});

/** Where in the output's plane element `i` of the input's goes by window element `tap`; −1 outside. */
function target(axes: readonly TransposeAxis[], spatial: readonly number[], i: number, tap: number): number {
  let [place, step, restI, restTap] = [0, 1, i, tap];
  for (let axis = axes.length - 1; axis >= 0; axis--) {
    const { stride, dilation, kernel, padBegin, output } = axes[axis] as TransposeAxis;
    const size = spatial[axis] as number;
    const at = (restI % size) * stride - padBegin + (restTap % kernel) * dilation;
    if (at < 0 || at >= output) return -1;
    place += at * step;
    step *= output;
    restI = Math.floor(restI / size);
    restTap = Math.floor(restTap / kernel);
  }
  return place;
}
