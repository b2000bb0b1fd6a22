// Resize: to other sizes along any axes, by nearest, linear or cubic interpolation, one axis after the other.
import { binary } from '../../autograd/ops/binary.js';
import { gather } from '../../autograd/ops/movement.js';
import type { Value } from '../../autograd/tape.js';
import { sizeOf } from '../../core/shape.js';
import { floats, type HostTensor, zeros } from '../../tensor/host_tensor.js';
import { mapDim, UNKNOWN } from '../dims.js';
import {
  type Attributes,
  defineOperator,
  floatData,
  floatNumber,
  int,
  integersOf,
  ints,
  none,
  required,
  resolveAxis,
  string,
  unknown,
} from '../operator.js';
import { type AxisTaps, axisTaps, type ResizeRules, unknownRule } from './resize_taps.js';

const ATTRIBUTES = {
  antialias: int(0),
  axes: ints(),
  coordinate_transformation_mode: string('half_pixel'),
  cubic_coeff_a: floatNumber(-0.75),
  exclude_outside: int(0),
  extrapolation_value: floatNumber(0),
  keep_aspect_ratio_policy: string('stretch'),
  mode: string('nearest'),
  nearest_mode: string('round_prefer_floor'),
};
type Fail = (what: string) => never;
type Settings = readonly (HostTensor | undefined)[];

function rulesOf(attributes: Attributes<typeof ATTRIBUTES>): ResizeRules {
  return {
    coordinates: attributes.coordinate_transformation_mode,
    mode: attributes.mode,
    nearest: attributes.nearest_mode,
    cubicA: attributes.cubic_coeff_a,
    excludeOutside: attributes.exclude_outside !== 0,
    antialias: attributes.antialias !== 0,
  };
}

interface AxisResize {
  /** Undefined: unchanged. */
  readonly output?: (size: number) => number;
  readonly scale?: (size: number, output: number) => number;
  readonly roi: readonly [number, number];
}

/** Region, scale and size of each axis from the inputs; `dims` of known axes serve the aspect ratio. */
function resizesOf(
  attributes: Attributes<typeof ATTRIBUTES>,
  [, roi, scales, sizes]: Settings,
  dims: readonly (number | undefined)[],
  fail: Fail,
): AxisResize[] {
  const rank = dims.length;
  const axes = attributes.axes?.map((axis) => resolveAxis(axis, rank, rank, fail)) ?? dims.map((_, axis) => axis);
  const present = (value: HostTensor | undefined) => (value && value.data.length > 0 ? value : undefined);
  const [factors, lengths] = [present(scales), present(sizes)];
  if (!factors === !lengths) fail('expected either scales or sizes');
  const count = (factors ?? lengths)?.data.length;
  if (count !== axes.length) fail(`expected ${axes.length} scales or sizes, received ${count}`);
  const expected = lengths && integersOf(lengths, 'sizes', fail);
  const policy = attributes.keep_aspect_ratio_policy;
  const ratios = expected?.map((size, index) => size / (dims[axes[index] as number] ?? Number.NaN));
  const ratio = policy === 'not_larger' ? Math.min(...(ratios ?? [])) : Math.max(...(ratios ?? []));
  const result: AxisResize[] = dims.map(() => ({ roi: [0, 1] }));
  axes.forEach((axis, index) => {
    const region = [Number(roi?.data[index] ?? 0), Number(roi?.data[index + axes.length] ?? 1)] as const;
    if (factors) {
      const factor = Number(factors.data[index]);
      if (!(factor > 0)) fail(`expected scales above 0, received ${factor}`);
      const crop = attributes.coordinate_transformation_mode === 'tf_crop_and_resize' ? region[1] - region[0] : 1;
      result[axis] = {
        output: (size) => Math.floor(Math.fround(Math.fround(size * crop) * factor)),
        scale: () => factor,
        roi: region,
      };
    } else if (policy === 'stretch') {
      const size = expected?.[index] as number;
      result[axis] = { output: () => size, scale: (input, output) => Math.fround(output / input), roi: region };
    } else {
      result[axis] = { output: (size) => Math.floor(size * ratio + 0.5), scale: () => ratio, roi: region };
    }
  });
  return result;
}

/** The axes that change, with where their outputs come from. */
function changesOf(
  attributes: Attributes<typeof ATTRIBUTES>,
  settings: Settings,
  dims: readonly number[],
  outputs: readonly number[],
  fail: Fail,
): { axis: number; taps: AxisTaps }[] {
  return resizesOf(attributes, settings, dims, fail).flatMap(({ scale, roi }, axis) => {
    const [input, output] = [dims[axis] as number, outputs[axis] as number];
    const crop = attributes.coordinate_transformation_mode === 'tf_crop_and_resize';
    if (!scale || (scale(input, output) === 1 && input === output && !crop)) return [];
    return [{ axis, taps: axisTaps(rulesOf(attributes), input, output, scale(input, output), roi) }];
  });
}

/** Along one axis: each has a list of taps. */
const MOST_PLACES = 2 ** 20;

/** What operator sets to 10 computed: from the corner on, upwards where an axis shrinks. */
const older = (nearest: 'floor' | 'ceil') => ({
  coordinate_transformation_mode: 'asymmetric',
  nearest_mode: nearest,
});

export const Resize = defineOperator({
  name: 'Resize',
  attributes: ATTRIBUTES,
  inputs: [1, 4],
  outputs: [1, 1],
  ...none('product', 'macs', 'fuses', 'fusion', 'device'),
  ...none('statistics', 'fromTypes', 'openShape', 'detail'),
  ...unknown('channels', 'samples'),
  upgrades: {
    // 10 had no choice of coordinates; its scales were the second input
    Resize: (node, call) => {
      if (call.opset >= 11) return node;
      const [x = '', scales = ''] = node.inputs;
      const factors = call.valueOf(scales) as HostTensor<'float32'> | undefined;
      const nearest = (node.attributes.mode ?? 'nearest') === 'nearest';
      if (!factors && nearest) call.note(node, 'its scales are computed: taken for ones that enlarge');
      const shrinks = nearest && factors?.data.some((factor) => factor < 1);
      if (!factors || !shrinks)
        return { ...node, inputs: [x, '', scales], attributes: { ...node.attributes, ...older('floor') } };
      const some = (chosen: (factor: number) => boolean) => factors.data.map((factor) => (chosen(factor) ? factor : 1));
      const by = (name: string, data: Float32Array) => call.constant(node, name, { ...factors, data });
      const ceil = { ...node.attributes, ...older('ceil') };
      if (!factors.data.some((factor) => factor > 1)) return { ...node, inputs: [x, '', scales], attributes: ceil };
      const larger = `${node.name}.enlarged`;
      const enlarged = [
        '',
        by(
          'larger',
          some((factor) => factor > 1),
        ),
      ];
      const attributes = { ...node.attributes, ...older('floor') };
      call.insert({ ...node, name: larger, inputs: [x, ...enlarged], outputs: [larger], attributes });
      return {
        ...node,
        inputs: [
          larger,
          '',
          by(
            'smaller',
            some((factor) => factor < 1),
          ),
        ],
        attributes: ceil,
      };
    },
    // to 8 its scales were an attribute; from 10 on it is a Resize
    Upsample: (node, call) => {
      const [x = '', input] = node.inputs;
      const scales = (node.attributes.scales ?? []) as number[];
      const name = input ?? call.constant(node, 'scales', floats([scales.length], scales));
      const mode = node.attributes.mode === 'bilinear' ? 'linear' : (node.attributes.mode ?? 'nearest');
      return { ...node, operator: 'Resize', inputs: [x, '', name], attributes: { mode, ...older('floor') } };
    },
  },
  unfoldable: 'costly',
  spans: { antialias: { since: 18 }, axes: { since: 18 }, keep_aspect_ratio_policy: { since: 18 } },
  settings: [1, 2, 3],
  shape: (call) => {
    const { dtype, dims } = required(call.inputs, 0);
    const unknown = unknownRule(rulesOf(call.attributes));
    if (unknown) call.fail(unknown);
    const settings = [0, 1, 2, 3].map((index) => (index === 0 ? undefined : call.constant(index)));
    if (settings.some((value, index) => index > 1 && !value && call.inputs[index])) {
      return [{ dtype, dims: dims.map(() => UNKNOWN) }];
    }
    const known = dims.map((dim) => (typeof dim === 'number' ? dim : undefined));
    const resizes = resizesOf(call.attributes, settings, known, call.fail);
    const output = dims.map((dim, axis) => {
      const change = resizes[axis]?.output;
      return change ? mapDim(dim, change) : dim;
    });
    if (output.some((dim, axis) => typeof dim === 'number' && (!(dim >= 0) || dims[axis] === 0))) {
      call.fail(`cannot resize [${dims}] to [${output}]`);
    }
    if (output.some((dim) => typeof dim === 'number' && dim > MOST_PLACES)) {
      call.fail(`expected at most ${MOST_PLACES} places along an axis, received [${output}]`);
    }
    return [{ dtype, dims: output }];
  },
  float: (call) => {
    const input = required(call.inputs, 0);
    if (call.attributes.coordinate_transformation_mode === 'tf_crop_and_resize' || call.dims.includes(0))
      return undefined;
    let x = call.tape.alias(input, input.dims, input.layout);
    const settings = [0, 1, 2, 3].map((index) => (index === 0 ? undefined : call.host(index)));
    for (const { axis, taps } of changesOf(call.attributes, settings, x.dims, call.dims, call.fail)) {
      if (call.attributes.mode === 'nearest') {
        const places = Int32Array.from(taps.places, ([place]) => place as number);
        x = gather(call.tape, x, places, axis, [places.length]);
        continue;
      }
      // Tap after tap: a sum over those that an output has, so that a NaN reaches no other.
      const count = Math.max(...taps.places.map(({ length }) => length));
      const along = x.dims.map((_, i) => (i === axis ? taps.places.length : 1));
      let sum: Value | undefined;
      for (let tap = 0; tap < count; tap++) {
        const places = Int32Array.from(taps.places, (each) => each[Math.min(tap, each.length - 1)] as number);
        // Outputs of fewer taps have a part of the last one for each that they lack.
        const weights = Float32Array.from(taps.weights, (each) =>
          tap < each.length - 1 ? (each[tap] as number) : (each.at(-1) as number) / (count - each.length + 1),
        );
        const part = gather(call.tape, x, places, axis, [places.length]);
        const weighted = binary(call.tape, 'mul', part, call.tape.constant(weights, along));
        sum = sum ? binary(call.tape, 'add', sum, weighted) : weighted;
      }
      x = sum as Value;
    }
    return x;
  },
  forward: (call) => {
    const input = required(call.inputs, 0);
    const { dtype, dims } = required(call.outputs, 0);
    if (dtype !== 'float32' && dtype !== 'float64' && call.attributes.mode !== 'nearest') floatData(input, call.fail);
    const changes = changesOf(call.attributes, call.inputs, input.dims, dims, call.fail);
    let { data: from, dims: shape }: { data: ArrayLike<unknown>; dims: readonly number[] } = input;
    for (const { axis, taps } of changes) {
      const next = shape.map((size, i) => (i === axis ? taps.places.length : size));
      const inner = sizeOf(shape.slice(axis + 1));
      const [size, output] = [shape[axis] as number, taps.places.length];
      // Sums between the axes are float64; other types than floats are copied, not summed.
      const sums = dtype.startsWith('float') ? new Float64Array(sizeOf(next)) : zeros(dtype, next).data;
      const to = sums as unknown as unknown[];
      for (let i = 0; i < to.length; i++) {
        const row = Math.floor(i / inner) % output;
        const start = Math.floor(i / (inner * output)) * size * inner + (i % inner);
        const places = taps.places[row] as readonly number[];
        if (places.length === 1) to[i] = from[start + (places[0] as number) * inner];
        else {
          let sum = 0;
          places.forEach((place, k) => {
            sum += (from[start + place * inner] as number) * (taps.weights[row]?.[k] as number);
          });
          to[i] = sum;
        }
      }
      [from, shape] = [to, next];
    }
    const result = zeros(dtype, dims);
    const to = result.data as unknown as unknown[];
    for (let i = 0; i < to.length; i++) to[i] = from[i];
    for (const { axis, taps } of changes) {
      const inner = sizeOf(dims.slice(axis + 1));
      if (!taps.outside.includes(true)) continue;
      for (let i = 0; i < to.length; i++) {
        if (taps.outside[Math.floor(i / inner) % taps.places.length]) to[i] = call.attributes.extrapolation_value;
      }
    }
    return [result];
  },
});
