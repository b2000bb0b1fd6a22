// The inputs and weights of each output of a resize along one axis. ONNX's Resize, operator sets
// 10 to 26: all coordinate transformations, nearest, linear and cubic, with and without antialiasing.

export interface ResizeRules {
  readonly coordinates: string;
  readonly mode: string;
  readonly nearest: string;
  readonly cubicA: number;
  readonly excludeOutside: boolean;
  readonly antialias: boolean;
}

export interface AxisTaps {
  /** For each output: input places and their weights, which add to 1. */
  readonly places: readonly (readonly number[])[];
  readonly weights: readonly (readonly number[])[];
  /** Outputs that tf_crop_and_resize reads outside the input. */
  readonly outside: readonly boolean[];
}

const NEAREST: Readonly<Record<string, (x: number) => number>> = {
  round_prefer_floor: (x) => Math.ceil(x - 0.5),
  round_prefer_ceil: (x) => Math.floor(x + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
};

/** The first unsupported rule; undefined where all are supported. */
export function unknownRule({ coordinates, mode, nearest }: ResizeRules): string | undefined {
  if (!['nearest', 'linear', 'cubic'].includes(mode)) return `mode "${mode}"`;
  if (mode === 'nearest' && !NEAREST[nearest]) return `nearest_mode "${nearest}"`;
  const known = ['half_pixel', 'half_pixel_symmetric', 'pytorch_half_pixel', 'align_corners', 'asymmetric'];
  const also = ['tf_crop_and_resize', 'tf_half_pixel_for_nn'];
  return known.includes(coordinates) || also.includes(coordinates) ? undefined : `coordinates "${coordinates}"`;
}

const { fround } = Math;

/** The place in the input that output `at` is taken from. Every step is rounded to float32, as runtimes compute it. */
function coordinate(
  rule: string,
  at: number,
  scale: number,
  input: number,
  output: number,
  roi: readonly [number, number],
): number {
  const halfPixel = () => fround(fround((at + 0.5) / scale) - 0.5);
  switch (rule) {
    case 'align_corners':
      return output === 1 ? 0 : fround(fround(at * (input - 1)) / (output - 1));
    case 'asymmetric':
      return fround(at / scale);
    case 'pytorch_half_pixel':
      return output > 1 ? halfPixel() : 0;
    case 'tf_half_pixel_for_nn':
      return fround((at + 0.5) / scale);
    case 'half_pixel_symmetric': {
      // The output is centred in the extent that the scale would give.
      const adjustment = fround(output / fround(scale * input));
      return fround(fround((input / 2) * fround(1 - adjustment)) + halfPixel());
    }
    case 'tf_crop_and_resize':
      return output > 1
        ? roi[0] * (input - 1) + (at * (roi[1] - roi[0]) * (input - 1)) / (output - 1)
        : 0.5 * (roi[0] + roi[1]) * (input - 1);
    default:
      return halfPixel();
  }
}

/** Keys' cubic convolution kernel, with coefficient a. */
function cubic(x: number, a: number): number {
  const d = Math.abs(x);
  if (d <= 1) return (a + 2) * d ** 3 - (a + 3) * d ** 2 + 1;
  return d < 2 ? a * d ** 3 - 5 * a * d ** 2 + 8 * a * d - 4 * a : 0;
}

/**
 * Input places and weights around a coordinate: a filter of `radius` 1 (linear) or 2 (cubic), widened by antialiasing.
 */
function filter(
  rules: ResizeRules,
  from: number,
  scale: number,
  input: number,
): { places: number[]; weights: number[] } {
  const interpolates = rules.mode === 'linear' && !rules.antialias && !rules.excludeOutside;
  const at = interpolates ? Math.min(Math.max(from, 0), input - 1) : from;
  const shrink = rules.antialias ? Math.min(1, scale) : 1;
  const radius = (rules.mode === 'cubic' ? 2 : 1) / shrink;
  const places: number[] = [];
  const weights: number[] = [];
  // Without antialiasing the taps next to it count, of weight 0 too: 0 · NaN is NaN.
  const first = rules.antialias ? Math.ceil(at - radius) : Math.floor(at) - radius + 1;
  const last = rules.antialias ? Math.floor(at + radius) : Math.floor(at) + radius;
  for (let place = first; place <= last; place++) {
    const distance = (place - at) * shrink;
    const weight = rules.mode === 'cubic' ? cubic(distance, rules.cubicA) : Math.max(0, 1 - Math.abs(distance));
    const inside = place >= 0 && place < input;
    if (!inside && (rules.excludeOutside || interpolates)) continue;
    if (weight === 0 && rules.antialias) continue;
    places.push(Math.min(Math.max(place, 0), input - 1));
    weights.push(weight);
  }
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return { places, weights: weights.map((weight) => weight / sum) };
}

export function axisTaps(
  rules: ResizeRules,
  input: number,
  output: number,
  scale: number,
  roi: readonly [number, number],
): AxisTaps {
  const outside: boolean[] = [];
  const taps = Array.from({ length: output }, (_, at) => {
    const from = coordinate(rules.coordinates, at, scale, input, output, roi);
    outside.push(rules.coordinates === 'tf_crop_and_resize' && (from < 0 || from > input - 1));
    if (rules.mode !== 'nearest') return filter(rules, from, scale, input);
    const place = (NEAREST[rules.nearest] as (x: number) => number)(from);
    return { places: [Math.min(Math.max(place, 0), input - 1)], weights: [1] };
  });
  return { places: taps.map(({ places }) => places), weights: taps.map(({ weights }) => weights), outside };
}
