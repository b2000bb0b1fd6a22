// The integer backend on a device: products and what lies between them are computed there and their values stay there.
// What the device has no kernel for is computed by the integer backend on the processor: a value is copied back when
// its elements are read. The bits are the processor's in every case.
import { binaryWalk, broadcastResult } from '../../autograd/ops/binary.js';
import { layoutWalk, samePlanes } from '../../autograd/ops/layout.js';
import { geometryOf } from '../../autograd/ops/pool2d.js';
import { type Layout, Value } from '../../autograd/tape.js';
import { InvalidArgumentError } from '../../core/errors.js';
import { sizeOf } from '../../core/shape.js';
import { isWeightsOnly } from '../../format/scheme.js';
import { GraphError } from '../../graph/errors.js';
import type { DeviceUse, UnaryUse } from '../../graph/facts.js';
import { viewOf } from '../../graph/fusion.js';
import { describeNode, type GraphNode } from '../../graph/graph.js';
import { attributesOf, type NodeAttributes } from '../../graph/operator.js';
import { productWindow } from '../../graph/product.js';
import { BINARY, POOL_KIND, UNARY } from '../../native/codes.js';
import { type Cuda, type NativeDeviceArray, type NativeProductEnd, openCuda } from '../../native/cuda_addon.js';
import { convWeights, matmulWeights, NO_FAULT, readFault } from '../../native/cuda_products.js';
import { spreadBits } from '../../policy/spread_bits.js';
import type { Backend, CountRequest, Engine, Network } from '../backend.js';
import type { Fusions, Step } from '../compile.js';
import type { ConvProduct, MatmulProduct, Product } from '../product.js';
import { activationBits, type ProductScheme } from '../product_scheme.js';
import type { Run } from '../run.js';
import type { SampleCounts } from '../scores.js';
import { DeviceBuffer } from './device_buffer.js';
import { DeviceCounts } from './device_counts.js';
import { IntegerEngine, type IntegerOptions, type IntegerUse } from './integer.js';

const ELEMENT = 4;
/** Axes that a walk on the device has at most. */
const MOST_AXES = 8;
/**
 * Share of the free memory that the values of one evaluation take: codes and what waits to be used again need as much.
 */
const VALUE_SHARE = 1 / 3;
/** More gain nothing: a batch of as many keeps the device busy for milliseconds. */
const MOST_DEVICE_BATCH = 16384;
const UNBOUNDED = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const;

/** The integer backend's results, bit for bit. A result's elements are copied when they are read. */
class DeviceEngine implements Engine<IntegerUse> {
  private readonly host: IntegerEngine;
  private readonly cuda: Cuda;
  private readonly live = new Set<DeviceBuffer>();
  /** Constants and biases, kept permanently. */
  private readonly kept = new Map<string | Product, Value>();
  private readonly fault: NativeDeviceArray;
  /** The products of this run, by their number. */
  private readonly calls: Step[] = [];

  constructor(
    private readonly network: Network,
    options: IntegerOptions,
  ) {
    this.cuda = openCuda();
    this.host = new IntegerEngine(network, options);
    this.fault = new this.cuda.addon.DeviceArray(NO_FAULT.length);
  }

  fuses(node: GraphNode): Fusions {
    return this.host.fuses(node);
  }

  check(use: IntegerUse): void {
    this.host.check(use);
  }

  batchSize(all: number): number {
    // A walk through policies keeps at most one value of each step.
    const most = (this.cuda.addon.memory().free * VALUE_SHARE) / (ELEMENT * Math.max(1, all));
    return Math.min(MOST_DEVICE_BATCH, Math.max(1, Math.floor(most)));
  }

  begin() {
    this.end();
    this.calls.length = 0;
    this.fault.write(NO_FAULT);
    return this.host.begin();
  }

  /** Images are reordered on the device. */
  place(run: Run, value: Value): Value {
    if (value.dims.length !== 4 || value.layout === 'channelsLast' || samePlanes(value.dims)) {
      return this.host.place(run, value);
    }
    const sent = this.uploaded(value.data, value.dims, value.layout);
    const reordered = this.inLayout('channelsLast', sent);
    this.host.tape.release(sent);
    return reordered;
  }

  present(run: Run, value: Value): Value {
    return this.host.present(run, value);
  }

  get bytes(): number {
    return this.host.bytes;
  }

  end(): void {
    this.host.end();
    for (const buffer of this.live) buffer.freed();
  }

  dispose(): void {
    this.host.dispose();
    for (const buffer of this.live) buffer.freed();
    for (const value of this.kept.values()) this.arrayOf(value).dispose();
    this.kept.clear();
    this.fault.dispose();
  }

  counts(request: CountRequest): SampleCounts {
    return new DeviceCounts(this.cuda, request, () => this.checkFault());
  }

  /** Throws the error of the first product of this run that met NaN or infinity. Waits for the device. */
  private checkFault(): void {
    const bad = readFault(this.fault);
    if (!bad) return;
    const step = this.calls[bad.call] as Step;
    const { node } = step;
    const isConv = this.host.productOf(step)?.kind === 'conv';
    const [operation, unit] = isConv ? ['conv2dDynamic', 'sample'] : ['matmulDynamic', 'row'];
    const received = `NaN or infinity in ${unit} ${bad.unit}`;
    throw new GraphError(
      describeNode(node),
      new InvalidArgumentError(operation, 'x', 'finite values', received).message,
    );
  }

  compute(step: Step, run: Run, use: IntegerUse): Value | undefined {
    if (use.inspect) return this.host.compute(step, run, use);
    const product = this.host.productOf(step);
    if (!product) return this.floatStep(step, run) ?? this.host.compute(step, run, use);
    const scheme = this.host.schemeOf(step, product, run, use);
    const integers = scheme && !isWeightsOnly(scheme.scheme) && this.host.arithmetic === 'exact';
    const there = integers ? this.productStep(step, product, run, scheme) : undefined;
    return there ?? this.host.product(step, product, run, scheme, undefined);
  }

  private productStep(step: Step, product: Product, run: Run, scheme: ProductScheme): Value | undefined {
    try {
      return product.kind === 'conv'
        ? this.convStep(step, product, run, scheme)
        : this.matmulStep(step, product, run, scheme);
    } catch (error) {
      if (error instanceof InvalidArgumentError) throw new GraphError(describeNode(step.node), error.message);
      throw error;
    }
  }

  private convStep(step: Step, product: ConvProduct, run: Run, scheme: ProductScheme): Value | undefined {
    if (run.find(product.activation)?.dims.length !== 4) return undefined;
    const weights = convWeights(this.cuda, this.host.weights.conv(product, scheme.scheme.weights));
    if (!weights) return undefined;
    const x = this.inLayout('channelsLast', this.send(run, product.activation));
    const { output, strides, dilations, pads } = productWindow(step.node, x.dims, product.kernel);
    const [n, c, h, w] = x.dims as [number, number, number, number];
    const geometry = Int32Array.of(n, h, w, c, ...strides, ...dilations, ...pads);
    const y = this.make([n, product.channels, ...output], 'channelsLast');
    const end = this.productEnd(step, product, run, y, scheme, undefined);
    this.cuda.addon.conv2dDynamic(this.arrayOf(x), geometry, weights, ...end);
    return y;
  }

  private matmulStep(step: Step, product: MatmulProduct, run: Run, scheme: ProductScheme): Value | undefined {
    const dims = this.dimsOf(run, step.node.outputs[0] as string);
    if (product.transposed || product.addend || !dims) return undefined;
    const packed = this.host.weights.matmul(product, scheme.scheme.weights);
    const weights = matmulWeights(this.cuda, packed);
    const x = this.inLayout('rows', this.send(run, product.activation));
    const m = x.size / packed.k;
    const y = this.make(dims, 'rows');
    const end = this.productEnd(step, product, run, y, scheme, m);
    this.cuda.addon.matmulDynamic(this.arrayOf(x), m, weights, ...end);
    return y;
  }

  private productEnd(
    step: Step,
    product: Product,
    run: Run,
    y: Value,
    scheme: ProductScheme,
    /** Rows of a product of matrices; undefined: images. */
    rows: number | undefined,
  ): NativeProductEnd {
    const layout = rows === undefined ? 'channelsLast' : 'rows';
    const bits = activationBits(scheme);
    const residual = step.residual === undefined ? undefined : this.inLayout(layout, this.send(run, step.residual));
    const [low, high] = step.clip ?? UNBOUNDED;
    const bias = this.host.biasOf(step, product);
    this.calls.push(step);
    return [
      this.arrayOf(y),
      rows === undefined ? bits : spreadBits(bits, rows),
      scheme.scheme.activations.granularity.kind === 'perTensor',
      bias && this.arrayOf(this.keep(product, bias, [product.channels], 'rows')),
      residual && this.arrayOf(residual),
      low,
      high,
      false,
      undefined,
      undefined,
      this.fault,
      this.calls.length - 1,
    ];
  }

  /** A step that is not a product; undefined where the host computes it. */
  private floatStep(step: Step, run: Run): Value | undefined {
    const { node, output } = step;
    const [first = '', second = ''] = node.inputs;
    if (run.known.has(output) || !node.inputs.some((name) => run.values.has(name))) return undefined;
    const { device } = step.operator;
    if (device === 'none') return undefined;
    switch (device.kind) {
      case 'unary': {
        const use = device.use(viewOf(this.network.graph, node));
        return use && this.unaryStep(this.send(run, first), ...use);
      }
      case 'binary': {
        const there = node.inputs.length === 2 && [first, second].every((name) => run.find(name));
        if (!there) return undefined;
        return this.binaryStep(BINARY[device.name], this.send(run, first), this.send(run, second));
      }
      case 'reshape': {
        const dims = this.dimsOf(run, output);
        return dims && this.host.tape.alias(this.inLayout('rows', this.send(run, first)), dims, 'rows');
      }
      case 'pool':
        return this.poolStep(step, device, run, first);
    }
  }

  private unaryStep(x: Value, ...[name, p = 0, q = 0]: UnaryUse): Value {
    const y = this.make(x.dims, x.layout);
    this.cuda.addon.unary(UNARY[name], p, q, x.size, this.arrayOf(x), this.arrayOf(y));
    return y;
  }

  private binaryStep(code: number, a: Value, b: Value): Value | undefined {
    const { dims, layout } = broadcastResult(a, b);
    const walk = binaryWalk(dims, layout, a, b);
    if ((walk[0] as number) > MOST_AXES) return undefined;
    const y = this.make(dims, layout);
    this.cuda.addon.binary(code, walk, this.arrayOf(a), this.arrayOf(b), this.arrayOf(y));
    return y;
  }

  private poolStep(
    { node, operator, readsOthers }: Step,
    device: Extract<DeviceUse<NodeAttributes>, { kind: 'pool' }>,
    run: Run,
    input: string,
  ): Value | undefined {
    const { dims } = run.find(input) as Value;
    if (dims.length !== 4 || readsOthers) return undefined;
    const attributes = attributesOf(operator, node);
    const window = device.window(attributes, dims, (what) => {
      throw new GraphError(describeNode(node), what);
    });
    if (!window) return undefined;
    const x = this.inLayout('channelsLast', this.send(run, input));
    const y = this.make([dims[0] as number, dims[1] as number, ...window.output], 'channelsLast');
    this.cuda.addon.pool(POOL_KIND[device.pool(attributes)], geometryOf(x, window), this.arrayOf(x), this.arrayOf(y));
    return y;
  }

  private dimsOf(run: Run, name: string): readonly number[] | undefined {
    const dims = run.types.get(name)?.dims;
    return dims?.every((dim) => typeof dim === 'number') ? (dims as readonly number[]) : undefined;
  }

  private arrayOf(value: Value): NativeDeviceArray {
    return (value.buffer as DeviceBuffer).device;
  }

  /** Device memory of unknown contents, for this step. */
  private make(dims: readonly number[], layout: Layout): Value {
    return this.host.tape.adopt(new Value(dims, layout, this.take(sizeOf(dims)), false));
  }

  private take(count: number): DeviceBuffer {
    const buffer = new DeviceBuffer(new this.cuda.addon.DeviceArray(count), count, {
      read: ({ device }) => {
        const values = new Float32Array(count);
        device.read(values);
        this.checkFault();
        return values;
      },
      forget: (buffer) => this.live.delete(buffer),
    });
    this.live.add(buffer);
    return buffer;
  }

  private uploaded(data: Float32Array, dims: readonly number[], layout: Layout): Value {
    const buffer = this.take(data.length);
    buffer.device.write(data);
    return new Value(dims, layout, buffer, false);
  }

  /** Uploaded once and for all runs. */
  private keep(key: string | Product, data: Float32Array, dims: readonly number[], layout: Layout): Value {
    let value = this.kept.get(key);
    if (!value) {
      value = this.uploaded(data, dims, layout);
      this.live.delete(value.buffer as DeviceBuffer); // not one of a run
      this.kept.set(key, value);
    }
    return value;
  }

  /** A value by its name, on the device from now on. */
  private send(run: Run, name: string): Value {
    const value = run.find(name) as Value;
    if (value.buffer instanceof DeviceBuffer) return value;
    if (run.constants.get(name) === value) return this.keep(name, value.data, value.dims, value.layout);
    const sent = this.uploaded(value.data, value.dims, value.layout);
    if (run.values.get(name) !== value) return this.host.tape.adopt(sent);
    run.values.set(name, sent);
    this.host.tape.release(value);
    return sent;
  }

  private inLayout(layout: Layout, x: Value): Value {
    if (x.layout === layout) return x;
    if (samePlanes(x.dims)) return this.host.tape.alias(x, x.dims, layout);
    const y = this.make(x.dims, layout);
    this.cuda.addon.copy(layoutWalk(x.dims, x.layout, layout), this.arrayOf(x), this.arrayOf(y));
    return y;
  }
}

/** Integers on a GPU: the results of `integer`, bit for bit. Compiling throws DeviceError where there is none. */
export function device(options: IntegerOptions = {}): Backend<IntegerUse> {
  return {
    name: 'device',
    device: 'cuda',
    prepares: true,
    open: (network) => new DeviceEngine(network, options),
  };
}
