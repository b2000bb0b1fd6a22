// The numeric contract of one quantized layer in plain TypeScript: codes, sums and the way back to float32, exactly.
import { operatorOf } from '../../lib/graph/check.js';
import type { Graph } from '../../lib/graph/graph.js';
import { attributesOf } from '../../lib/graph/operator.js';
import { windowAxes } from '../../lib/graph/operators/window.js';
import type { ProductRecord } from '../../lib/runtime/backends/integer.js';
import type { HostTensor } from '../../lib/tensor/host_tensor.js';

/** Half to even. */
function evenRound(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}

const float64 = new Float64Array(1);
const words = new Uint32Array(float64.buffer);
/** Bits of a double below those of a float. */
const LOW_BITS = 2 ** 29 - 1;
const HALF = 2 ** 28;

/** fround(a · b + c), rounded once: a and b are floats, so the product is exact in double. */
export function fma(a: number, b: number, c: number): number {
  const p = a * b;
  const s = p + c;
  const t = s - p;
  const rest = p - (s - t) + (c - t); // two-sum (Knuth, TAOCP 4.2.2): p + c = s + rest
  float64[0] = s;
  const low = words[0] as number;
  // Halfway between two floats only because s was rounded: the rest decides.
  if (rest !== 0 && (low & LOW_BITS) === HALF) words[0] = rest > 0 === s > 0 ? low + 1 : low - 1;
  return Math.fround(float64[0] as number);
}

export interface Quantized {
  readonly codes: Int32Array;
  readonly scale: number;
  readonly zeroPoint: number;
}

export function quantizeActivation(x: Float32Array, bits: number): Quantized {
  const qmax = 2 ** bits - 1;
  let [min, max] = [0, 0];
  for (const value of x) {
    if (value < min) min = value;
    if (value > max) max = value;
  }
  const scale = Math.fround(Math.fround(max - min) / qmax) || 1;
  const zeroPoint = evenRound(Math.min(qmax, Math.max(0, Math.fround(-min / scale))));
  const code = (value: number) => Math.min(qmax, Math.max(0, evenRound(Math.fround(value / scale)) + zeroPoint));
  return { codes: Int32Array.from(x, code), scale, zeroPoint };
}

export function quantizeWeight(w: Float32Array, bits: number): { codes: Int32Array; scale: number } {
  const most = w.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  const qmax = 2 ** (bits - 1) - 1;
  const scale = Math.fround(most / qmax) || 1;
  const code = (value: number) => Math.min(qmax, Math.max(-qmax, evenRound(Math.fround(value / scale))));
  return { codes: Int32Array.from(w, code), scale };
}

export interface LayerReference {
  /** In the order of the kernels, [outChannels, …]. */
  readonly weightCodes: Int32Array;
  readonly weightScales: Float32Array;
  /** One for each sample or row. */
  readonly activations: readonly Quantized[];
  readonly y: Float32Array;
}

/** A layer computed anew from what entered it. `bitsOf`: activation bits of sample or row i of m. */
export function referenceLayer(
  graph: Graph,
  record: ProductRecord,
  bitsOf: (i: number, m: number) => number,
): LayerReference {
  const node = graph.node(record.node.name);
  const attributes = attributesOf(operatorOf(node), node) as unknown as Record<string, number>;
  const weight = graph.initializers.get(node.inputs[1] as string) as HostTensor<'float32'>;
  const isConv = node.operator === 'Conv';
  const transB = node.operator === 'Gemm' && attributes.transB;
  const channels = (isConv || transB ? weight.dims[0] : weight.dims[1]) as number;
  const k = weight.data.length / channels;
  const area = isConv ? (weight.dims[2] as number) * (weight.dims[3] as number) : 1;
  // Element i of filter m in the order of the kernels.
  const element = (m: number, i: number) => {
    if (isConv) return weight.data[m * k + (i % (k / area)) * area + Math.floor(i / (k / area))] as number;
    return weight.data[transB ? m * k + i : i * channels + m] as number;
  };
  const weightCodes = new Int32Array(weight.data.length);
  const weightScales = new Float32Array(channels);
  for (let m = 0; m < channels; m++) {
    const { codes, scale } = quantizeWeight(
      Float32Array.from({ length: k }, (_, i) => element(m, i)),
      record.scheme.scheme.weights.format.bits,
    );
    weightCodes.set(codes, m * k);
    weightScales[m] = scale;
  }
  const { x } = record;
  const samples = isConv ? (x.dims[0] as number) : x.size / k;
  const size = x.size / samples;
  const activations: Quantized[] = [];
  const y = new Float32Array(record.y.size);
  for (let n = 0; n < samples; n++) {
    const activation = quantizeActivation(x.data.subarray(n * size, (n + 1) * size), bitsOf(n, samples));
    activations.push(activation);
    const sums = isConv
      ? convolve(node, x.dims, weight.dims, activation, weightCodes)
      : multiply(activation, weightCodes, channels, k);
    for (let i = 0; i < sums.length; i++) {
      const m = i % channels;
      const factor = Math.fround(activation.scale * (weightScales[m] as number));
      let value = fma(Math.fround(sums[i] as number), factor, record.bias?.[m] ?? 0);
      const at = n * sums.length + i;
      if (record.residual) value = Math.fround(value + (record.residual.data[at] as number));
      const [low, high] = record.clip ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
      value = value > low ? value : low;
      y[at] = value < high ? value : high;
    }
  }
  return { weightCodes, weightScales, activations, y };
}

function multiply({ codes, zeroPoint }: Quantized, weights: Int32Array, channels: number, k: number): Int32Array {
  const sums = new Int32Array(channels);
  for (let m = 0; m < channels; m++) {
    let sum = 0;
    for (let i = 0; i < k; i++) sum += ((codes[i] as number) - zeroPoint) * (weights[m * k + i] as number);
    sums[m] = sum;
  }
  return sums;
}

/** [OH, OW, M] of one image [H, W, C]. */
function convolve(
  node: Parameters<typeof operatorOf>[0],
  dims: readonly number[],
  kernelDims: readonly number[],
  { codes, zeroPoint }: Quantized,
  weights: Int32Array,
): Int32Array {
  const fail = (what: string): never => {
    throw new Error(what);
  };
  const attributes = attributesOf(operatorOf(node), node) as unknown as Parameters<typeof windowAxes>[0] & {
    group: number;
  };
  const [v, h] = windowAxes(attributes, dims.slice(2), kernelDims.slice(2), fail) as [Axis, Axis];
  const [inChannels, outChannels, groupChannels] = [dims[1], kernelDims[0], kernelDims[1]] as [number, number, number];
  const sums = new Int32Array(v.output * h.output * outChannels);
  for (let place = 0; place < v.output * h.output; place++) {
    for (let tap = 0; tap < v.kernel * h.kernel; tap++) {
      const row = Math.floor(place / h.output) * v.stride - v.padBegin + Math.floor(tap / h.kernel) * v.dilation;
      const column = (place % h.output) * h.stride - h.padBegin + (tap % h.kernel) * h.dilation;
      if (row < 0 || row >= v.input || column < 0 || column >= h.input) continue;
      const pixel = (row * h.input + column) * inChannels;
      for (let m = 0; m < outChannels; m++) {
        const first = pixel + Math.floor((m * attributes.group) / outChannels) * groupChannels;
        const filter = (m * v.kernel * h.kernel + tap) * groupChannels;
        let sum = 0;
        for (let c = 0; c < groupChannels; c++) {
          sum += ((codes[first + c] as number) - zeroPoint) * (weights[filter + c] as number);
        }
        sums[place * outChannels + m] = (sums[place * outChannels + m] as number) + sum;
      }
    }
  }
  return sums;
}

type Axis = ReturnType<typeof windowAxes>[0];
