// One layer's profile in the making: everything that is summed over the batches, and the figures read from it.

import type { Value } from '../../autograd/tape.js';
import { MOST_BITS } from '../../format/numeric_format.js';
import { formatScheme, isWeightsOnly, type Scheme } from '../../format/scheme.js';
import type { GraphNode } from '../../graph/graph.js';
import type { NodeSummary } from '../../graph/printer.js';
import { productWindow } from '../../graph/product.js';
import { ErrorProfile, type ErrorProfileOptions, type LayerErrorProfile } from '../../native/error_profile.js';
import type { ProductRecord } from '../../runtime/backends/integer.js';
import type { Product } from '../../runtime/product.js';
import { ActivationRanges, ChannelMaxima, type InputChannels, type RangeProfile } from './ranges.js';
import { type LayerSpeed, type LayerWork, type MachineCeilings, speedOf } from './speed.js';
import { type OutputError, OutputErrors } from './sums.js';

/** The quantization error of one layer. */
export interface LayerProfile {
  readonly node: string;
  readonly operator: string;
  /** Kernel, stride and groups of a window. */
  readonly detail: string;
  /** undefined: left in float32, so that nothing is quantized in isolation. */
  readonly scheme: string | undefined;
  /** Multiply-accumulates of one sample. */
  readonly macs: number;
  readonly weights: number;
  /** Only this layer quantized, its inputs those of full precision: before bias, residual and activation function. */
  readonly isolated: LayerErrorProfile | undefined;
  /** The same split with everything before it quantized too: what the layer itself adds there. */
  readonly inPlace: LayerErrorProfile | undefined;
  /** Everything up to this layer quantized, against full precision, after bias, residual and activation function. */
  readonly accumulated: OutputError;
  readonly channels: readonly OutputError[];
  readonly ranges: RangeProfile | undefined;
  readonly inputs: InputChannels | undefined;
  readonly speed: LayerSpeed | undefined;
}

/** How the kernels quantize, as the split has to. */
export type SplitOptions = Pick<ErrorProfileOptions, 'reduceRange' | 'arithmetic'>;

const FLOAT_BYTES = 4;

/** A value's elements in the order [outputs, channels]. */
function byChannel(value: Value, product: Product): Float32Array {
  const { data, dims, layout } = value;
  if (product.kind !== 'conv' || layout === 'channelsLast') return data;
  const [n = 0, channels = 0, ...window] = dims;
  const plane = window.reduce((size, dim) => size * dim, 1);
  const result = new Float32Array(data.length);
  for (let sample = 0; sample < n; sample++) {
    for (let channel = 0; channel < channels; channel++) {
      const from = (sample * channels + channel) * plane;
      for (let i = 0; i < plane; i++) result[(sample * plane + i) * channels + channel] = data[from + i] as number;
    }
  }
  return result;
}

export class LayerProfiler {
  private readonly isolated: ErrorProfile | undefined;
  private readonly inPlace: ErrorProfile | undefined;
  private readonly errors: OutputErrors;
  private readonly ranges = new ActivationRanges();
  private readonly maxima: ChannelMaxima | undefined;
  private fastest: LayerWork | undefined;

  constructor(
    private readonly node: GraphNode,
    private readonly product: Product,
    private readonly summary: NodeSummary,
    private readonly scheme: Scheme | undefined,
    split: SplitOptions,
  ) {
    this.errors = new OutputErrors(product.channels);
    // By quantized weights alone, no kernel quantizes its input: there is nothing to split.
    if (!scheme || isWeightsOnly(scheme)) return;
    const reduceRange = split.reduceRange === true && scheme.weights.format.bits === MOST_BITS;
    const options = {
      ...split,
      bits: scheme.weights.format.bits,
      granularity: scheme.weights.granularity,
      activationBits: scheme.activations.format.bits,
      range: scheme.activations.granularity,
      reduceRange,
    };
    const k = product.weights.length / product.channels;
    const make = () =>
      product.kind === 'conv'
        ? new ErrorProfile(product.weights, product.shape, options, product.groups)
        : new ErrorProfile(product.weights, [product.channels, k], options);
    this.isolated = make();
    this.inPlace = make();
    this.maxima = new ChannelMaxima(product.kind === 'conv' ? product.shape[3] * product.groups : k);
  }

  private split(into: ErrorProfile | undefined, { x }: ProductRecord): void {
    const { product, node } = this;
    if (product.kind !== 'conv') {
      into?.addRows(x.data);
      return;
    }
    const [n, c, h, w] = x.dims as [number, number, number, number];
    // The kernels see lengths as images of one row.
    const dims = product.kernel.length === 1 ? [n, c, w] : x.dims;
    const { strides, dilations, pads } = productWindow(node, dims, product.kernel);
    into?.addImages(x.data, [n, h, w, c], { strides, dilations, padding: pads });
  }

  /** The layer as it ran on the inputs of full precision. */
  addIsolated(record: ProductRecord): void {
    this.split(this.isolated, record);
  }

  /** The layer as it ran in the quantized network. */
  addInPlace(record: ProductRecord, samples: number): void {
    this.split(this.inPlace, record);
    this.ranges.add(record.scale);
    this.maxima?.add(record.x.data, record.scale.length);
    const { milliseconds, x, y, weights } = record;
    if (this.fastest && this.fastest.milliseconds / this.fastest.samples <= milliseconds / samples) return;
    const bytes = FLOAT_BYTES * (x.size + y.size) + weights.bytes;
    this.fastest = { macs: this.summary.macs * samples, bytes, samples, milliseconds };
  }

  addOutputs(exact: Value, quantized: Value, local: Value): void {
    const [y, q, x] = [exact, quantized, local].map((value) => byChannel(value, this.product));
    this.errors.add(y as Float32Array, q as Float32Array, x as Float32Array);
  }

  /** Nanoseconds a sample. */
  get nsPerSample(): number {
    return this.fastest ? (this.fastest.milliseconds * 1e6) / this.fastest.samples : 0;
  }

  /** Integer operations, 10⁹ a second. */
  get gops(): number {
    return this.fastest ? (2 * this.fastest.macs) / (this.fastest.milliseconds * 1e6) : 0;
  }

  /** `total`: ns a sample of all layers. */
  read(ceilings: MachineCeilings, total: number): LayerProfile {
    const { name, operator, detail, macs } = this.summary;
    return {
      node: name,
      operator,
      detail,
      scheme: this.scheme && formatScheme(this.scheme),
      macs,
      weights: this.product.weights.length,
      isolated: this.isolated?.read(),
      inPlace: this.inPlace?.read(),
      accumulated: this.errors.total(),
      channels: this.errors.byChannel(),
      ranges: this.maxima && this.ranges.read(),
      inputs: this.maxima?.read(),
      speed: this.fastest && speedOf(this.fastest, ceilings, total),
    };
  }

  dispose(): void {
    this.isolated?.dispose();
    this.inPlace?.dispose();
  }
}
