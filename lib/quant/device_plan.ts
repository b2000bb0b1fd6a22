// The integer plan on a device: products and what lies between them are computed there and their values stay there. What
// the device has no kernel for is computed as in IntegerPlan, on the processor: a value is copied back when its elements
// are read. The bits are the processor's in every case.

import { binaryWalk, broadcastResult } from '../autograd/ops/binary.js';
import { layoutWalk, samePlanes } from '../autograd/ops/layout.js';
import { geometryOf } from '../autograd/ops/pool2d.js';
import { type Layout, Value } from '../autograd/tape.js';
import { InvalidArgumentError } from '../core/errors.js';
import { sizeOf } from '../core/shape.js';
import { GraphError } from '../graph/errors.js';
import type { DeviceUse, UnaryUse } from '../graph/facts.js';
import { viewOf } from '../graph/fusion.js';
import { describeNode, type Graph } from '../graph/graph.js';
import { attributesOf, type NodeAttributes } from '../graph/operator.js';
import { BINARY, POOL_KIND, UNARY } from '../native/codes.js';
import { type Cuda, type NativeDeviceArray, type NativeProductEnd, openCuda } from '../native/cuda_addon.js';
import { convWeights, matmulWeights, NO_FAULT, readFault } from '../native/cuda_products.js';
import { spreadBits } from '../policy/spread_bits.js';
import { Buffer32 } from '../tensor/memory.js';
import {
  type BitChooser,
  type Feed,
  IntegerPlan,
  type IntegerPlanOptions,
  type IntegerRunOptions,
  type ProductBits,
  productBits,
  type RunState,
} from './integer_plan.js';
import { convGeometry, type Step } from './integer_steps.js';
import type { ConvProduct, MatmulProduct, Product } from './product.js';

const ELEMENT = 4;
/** Axes that a walk on the device has at most. */
const MOST_AXES = 8;
/** Share of the free memory that the values of one evaluation take: codes and what waits to be used again need as much. */
const VALUE_SHARE = 1 / 3;
/** More gain nothing: a batch of as many keeps the device busy for milliseconds. */
const MOST_DEVICE_BATCH = 16384;
const NO_ELEMENTS = new Float32Array(0);
const UNBOUNDED = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const;

/** Elements in device memory that are copied to the host when somebody reads them. */
export class DeviceBuffer extends Buffer32 {
  private copy: Float32Array | undefined;

  constructor(
    readonly device: NativeDeviceArray,
    private readonly count: number,
    private readonly home: { read(buffer: DeviceBuffer): Float32Array; forget(buffer: DeviceBuffer): boolean },
  ) {
    super(NO_ELEMENTS, undefined);
  }

  override get array(): Float32Array {
    this.copy ??= this.home.read(this);
    return this.copy;
  }

  override get length(): number {
    return this.count;
  }

  override freed(): void {
    if (this.home.forget(this)) this.device.dispose();
  }
}

/** IntegerPlan on the device: the same results, bit for bit. A result's elements are copied when they are read. */
export class DevicePlan extends IntegerPlan {
  private readonly cuda: Cuda;
  private readonly live = new Set<DeviceBuffer>();
  /** Constants and biases that are there for good. */
  private readonly kept = new Map<string | Product, Value>();
  private readonly fault: NativeDeviceArray;
  /** The products of this run, by their number. */
  private readonly calls: Step[] = [];

  /** Throws DeviceError where there is no device, GraphError naming a node that no kernel computes. */
  constructor(source: Graph, options: IntegerPlanOptions = {}) {
    super(source, options);
    this.cuda = openCuda();
    this.fault = new this.cuda.addon.DeviceArray(NO_FAULT.length);
  }

  override get defaultBatch(): number {
    // A walk through policies holds no more than one value of each step.
    const most = (this.cuda.addon.memory().free * VALUE_SHARE) / (ELEMENT * Math.max(1, this.allValues));
    return Math.min(MOST_DEVICE_BATCH, Math.max(1, Math.floor(most)));
  }

  override begin(feeds: Readonly<Record<string, Feed>>): RunState {
    const state = super.begin(feeds);
    this.calls.length = 0;
    this.fault.write(NO_FAULT);
    return state;
  }

  /** @internal Images are reordered there. */
  protected override placed(value: Value): Value {
    if (value.dims.length !== 4 || value.layout === 'channelsLast' || samePlanes(value.dims))
      return super.placed(value);
    const sent = this.uploaded(value.data, value.dims, value.layout);
    const reordered = this.inLayout('channelsLast', sent);
    this.tape.release(sent);
    return reordered;
  }

  override end(): void {
    super.end();
    for (const buffer of this.live) buffer.freed();
  }

  override dispose(): void {
    super.dispose();
    for (const value of this.kept.values()) this.arrayOf(value).dispose();
    this.kept.clear();
    this.fault.dispose();
  }

  /** @internal Throws the error of the first product of this run that met NaN or infinity. Waits for the device. */
  checkFault(): void {
    const bad = readFault(this.fault);
    if (!bad) return;
    const { node, product } = this.calls[bad.call] as Step;
    const [operation, unit] = product?.kind === 'conv' ? ['conv2dDynamic', 'sample'] : ['matmulDynamic', 'row'];
    const received = `NaN or infinity in ${unit} ${bad.unit}`;
    throw new GraphError(
      describeNode(node),
      new InvalidArgumentError(operation, 'x', 'finite values', received).message,
    );
  }

  /** @internal A value's elements on the device; undefined where they are the host's. */
  deviceArray(value: Value): NativeDeviceArray | undefined {
    return value.buffer instanceof DeviceBuffer ? value.buffer.device : undefined;
  }

  /** @internal The device's score of logits; see native/cuda/float_kernels.h. */
  get native(): Cuda['addon'] {
    return this.cuda.addon;
  }

  /** @internal */
  protected override compute(
    step: Step,
    state: RunState,
    choose: BitChooser,
    inspect: IntegerRunOptions['inspect'],
  ): Value | undefined {
    if (inspect) return super.compute(step, state, choose, inspect);
    if (!step.product) return this.floatStep(step, state) ?? super.compute(step, state, choose, undefined);
    const { node, product } = step;
    const chosen = choose(node, this.find(state, node.inputs[0] as string) as Value);
    const bits = chosen && productBits(node, chosen);
    const there = bits && this.arithmetic === 'exact' ? this.productStep(step, product, state, bits) : undefined;
    return there ?? super.compute(step, state, () => bits, undefined);
  }

  private productStep(step: Step, product: Product, state: RunState, bits: ProductBits): Value | undefined {
    try {
      return product.kind === 'conv'
        ? this.convStep(step, product, state, bits)
        : this.matmulStep(step, product, state, bits);
    } catch (error) {
      if (error instanceof InvalidArgumentError) throw new GraphError(describeNode(step.node), error.message);
      throw error;
    }
  }

  private convStep(step: Step, product: ConvProduct, state: RunState, bits: ProductBits): Value | undefined {
    const [name] = step.node.inputs as [string];
    if (this.find(state, name)?.dims.length !== 4) return undefined;
    const weights = convWeights(this.cuda, this.weights.conv(product, bits.weightBits));
    if (!weights) return undefined;
    const x = this.inLayout('channelsLast', this.send(state, name));
    const { output, strides, dilations, padding } = convGeometry(step, product, x.dims);
    const [n, c, h, w] = x.dims as [number, number, number, number];
    const geometry = Int32Array.of(n, h, w, c, ...strides, ...dilations, ...padding);
    const y = this.make([n, product.channels, ...output], 'channelsLast');
    const end = this.productEnd(step, product, state, y, bits.activationBits, 'channelsLast');
    this.cuda.addon.conv2dDynamic(this.arrayOf(x), geometry, weights, ...end);
    return y;
  }

  private matmulStep(step: Step, product: MatmulProduct, state: RunState, bits: ProductBits): Value | undefined {
    const dims = this.dimsOf(state, step.node.outputs[0] as string);
    if (product.transposed || product.addend || !dims) return undefined;
    const packed = this.weights.matmul(product, bits.weightBits);
    const weights = matmulWeights(this.cuda, packed);
    const x = this.inLayout('rows', this.send(state, step.node.inputs[0] as string));
    const m = x.size / packed.k;
    const y = this.make(dims, 'rows');
    const end = this.productEnd(step, product, state, y, spreadBits(bits.activationBits, m), 'rows');
    this.cuda.addon.matmulDynamic(this.arrayOf(x), m, weights, ...end);
    return y;
  }

  private productEnd(
    step: Step,
    product: Product,
    state: RunState,
    y: Value,
    bits: number | Uint8Array,
    layout: Layout,
  ): NativeProductEnd {
    const residual = step.residual === undefined ? undefined : this.inLayout(layout, this.send(state, step.residual));
    const [low, high] = step.clip ?? UNBOUNDED;
    this.calls.push(step);
    return [
      this.arrayOf(y),
      bits,
      this.perTensor,
      product.bias && this.arrayOf(this.keep(product, product.bias, [product.channels], 'rows')),
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

  /** A step that is no product; undefined where it is the host's. */
  private floatStep(step: Step, state: RunState): Value | undefined {
    const { node, output } = step;
    const [first = '', second = ''] = node.inputs;
    if (state.known.has(output) || !node.inputs.some((name) => state.values.has(name))) return undefined;
    const { device } = step.operator;
    if (device === 'none') return undefined;
    switch (device.kind) {
      case 'unary': {
        const use = device.use(viewOf(this.graph, node));
        return use && this.unaryStep(this.send(state, first), ...use);
      }
      case 'binary': {
        const there = node.inputs.length === 2 && [first, second].every((name) => this.find(state, name));
        if (!there) return undefined;
        return this.binaryStep(BINARY[device.name], this.send(state, first), this.send(state, second));
      }
      case 'reshape': {
        const dims = this.dimsOf(state, output);
        return dims && this.tape.alias(this.inLayout('rows', this.send(state, first)), dims, 'rows');
      }
      case 'pool':
        return this.poolStep(step, device, state, first);
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
    { node, operator }: Step,
    device: Extract<DeviceUse<NodeAttributes>, { kind: 'pool' }>,
    state: RunState,
    input: string,
  ): Value | undefined {
    const { dims } = this.find(state, input) as Value;
    if (dims.length !== 4 || this.readsOthers(node)) return undefined;
    const attributes = attributesOf(operator, node);
    const window = device.window(attributes, dims, (what) => {
      throw new GraphError(describeNode(node), what);
    });
    if (!window) return undefined;
    const x = this.inLayout('channelsLast', this.send(state, input));
    const y = this.make([dims[0] as number, dims[1] as number, ...window.output], 'channelsLast');
    this.cuda.addon.pool(POOL_KIND[device.pool(attributes)], geometryOf(x, window), this.arrayOf(x), this.arrayOf(y));
    return y;
  }

  private dimsOf(state: RunState, name: string): readonly number[] | undefined {
    const dims = state.types.get(name)?.dims;
    return dims?.every((dim) => typeof dim === 'number') ? (dims as readonly number[]) : undefined;
  }

  private arrayOf(value: Value): NativeDeviceArray {
    return (value.buffer as DeviceBuffer).device;
  }

  /** Device memory of unknown contents, for this step. */
  private make(dims: readonly number[], layout: Layout): Value {
    return this.tape.adopt(new Value(dims, layout, this.take(sizeOf(dims)), false));
  }

  private take(count: number): DeviceBuffer {
    const buffer = new DeviceBuffer(new this.cuda.addon.DeviceArray(count), count, {
      read: ({ device }) => {
        const values = new Float32Array(count);
        device.read(values);
        this.checkFault();
        return values;
      },
      forget: (own) => this.live.delete(own),
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
  private send(state: RunState, name: string): Value {
    const value = this.find(state, name) as Value;
    if (value.buffer instanceof DeviceBuffer) return value;
    if (this.constants.get(name) === value) return this.keep(name, value.data, value.dims, value.layout);
    const sent = this.uploaded(value.data, value.dims, value.layout);
    if (state.values.get(name) !== value) return this.tape.adopt(sent);
    state.values.set(name, sent);
    this.tape.release(value);
    return sent;
  }

  private inLayout(layout: Layout, x: Value): Value {
    if (x.layout === layout) return x;
    if (samePlanes(x.dims)) return this.tape.alias(x, x.dims, layout);
    const y = this.make(x.dims, layout);
    this.cuda.addon.copy(layoutWalk(x.dims, x.layout, layout), this.arrayOf(x), this.arrayOf(y));
    return y;
  }
}
