// The integer backend: products run on the integer kernels under the bits that a policy gives them, with weights packed
// once for each width; what has no bits runs on the float backend.
import { binary } from '../../autograd/ops/binary.js';
import { toChannelsLast, toRows } from '../../autograd/ops/layout.js';
import { transpose } from '../../autograd/ops/movement.js';
import { unary } from '../../autograd/ops/unary.js';
import type { Value } from '../../autograd/tape.js';
import { InvalidArgumentError } from '../../core/errors.js';
import { isWeightsOnly, type Scheme } from '../../format/scheme.js';
import { GraphError } from '../../graph/errors.js';
import { describeNode, type GraphNode } from '../../graph/graph.js';
import { asImage, fromImage } from '../../graph/operators/window.js';
import { type ProductView, productView, productWindow } from '../../graph/product.js';
import { conv2dDynamic, type PackedConvWeights } from '../../native/conv2d.js';
import { matmulDynamic } from '../../native/matmul.js';
import type { PackedWeights } from '../../native/packed_weights.js';
import type { ArithmeticOptions } from '../../native/product_end.js';
import { checkPolicy, type Policy } from '../../policy/policy.js';
import { spreadBits } from '../../policy/spread_bits.js';
import { Memory } from '../../tensor/memory.js';
import type { Backend, Engine, Network } from '../backend.js';
import type { Fusions, Step } from '../compile.js';
import { InferenceTape } from '../inference_tape.js';
import { type ConvProduct, type MatmulProduct, type Product, productOf } from '../product.js';
import { activationBits, type ProductScheme, productScheme, type SchemeChooser } from '../product_scheme.js';
import type { Run } from '../run.js';
import { WeightStore } from '../weight_store.js';
import { FloatEngine } from './float.js';
import { quantizedWeight } from './quantized_weight.js';

/** The arithmetic of sums. */
export interface IntegerOptions {
  /** Eight-bit weights in −64 … 64; see packWeights. Default false. */
  readonly reduceRange?: boolean | undefined;
  /** `saturating16`: what a processor without VNNI computes; see matmulDynamic. Default `exact`. */
  readonly arithmetic?: ArithmeticOptions['arithmetic'] | undefined;
}

/** One product as it was computed. */
export interface ProductRecord {
  readonly node: GraphNode;
  readonly scheme: ProductScheme;
  readonly weights: PackedConvWeights | PackedWeights;
  /** As quantized: channels-last images, or rows. */
  readonly x: Value;
  /** With bias, residual and clip. */
  readonly y: Value;
  readonly bias: Float32Array | undefined;
  readonly residual: Value | undefined;
  readonly clip: readonly [number, number] | undefined;
  /** Of the activation, one for each sample or row. */
  readonly scale: Float32Array;
  readonly zeroPoint: Int32Array;
  /** What the kernel took. */
  readonly milliseconds: number;
}

/** Arguments of a run on integers. */
export interface IntegerUse {
  /** Absent: no node has bits, all runs in float32. */
  readonly bits?: Policy | SchemeChooser | undefined;
  /** Sees every product as it is computed. */
  readonly inspect?: ((record: ProductRecord) => void) | undefined;
}

/** Integers at work on the processor, also for what a device leaves to it. */
export class IntegerEngine implements Engine<IntegerUse> {
  readonly arithmetic: 'exact' | 'saturating16';
  readonly weights: WeightStore;
  readonly constants = new Map<string, Value>();
  private readonly memory = new Memory();
  readonly tape = new InferenceTape(this.memory);
  private readonly float: FloatEngine;
  private readonly products = new Map<GraphNode, Product>();
  private readonly schemes = new WeakMap<Policy, ReadonlyMap<GraphNode, ProductScheme>>();

  constructor(
    readonly network: Network,
    options: IntegerOptions,
  ) {
    this.arithmetic = options.arithmetic ?? 'exact';
    this.weights = new WeightStore(options.reduceRange);
    this.float = new FloatEngine(network);
    for (const [name, tensor] of network.graph.initializers) {
      if (tensor.dtype !== 'float32') continue;
      this.constants.set(name, this.tape.constant(tensor.data as Float32Array, tensor.dims));
    }
  }

  fuses(node: GraphNode): Fusions {
    const product = productOf(this.network.graph, node);
    if (!product) return { work: [] };
    this.products.set(node, product);
    const takesBias = product.kind === 'matmul' && !product.bias;
    return { biasChannels: takesBias ? product.channels : undefined, work: ['addition', 'clip'] };
  }

  check({ bits }: IntegerUse): void {
    if (bits && typeof bits !== 'function') this.schemesOf(bits);
  }

  /** A policy's schemes, checked when it is first met. */
  private schemesOf(policy: Policy): ReadonlyMap<GraphNode, ProductScheme> {
    const known = this.schemes.get(policy);
    if (known) return known;
    checkPolicy(this.network.graph, policy);
    const schemes = new Map<GraphNode, ProductScheme>();
    for (const [node, { kind }] of this.products) {
      const scheme = policy.schemes.get(node.name);
      if (scheme) schemes.set(node, productScheme(node, kind, scheme));
    }
    this.schemes.set(policy, schemes);
    return schemes;
  }

  begin() {
    this.end();
    return { tape: this.tape, constants: this.constants };
  }

  place(_: Run, value: Value): Value {
    return value.dims.length === 4 ? toChannelsLast(this.tape, value) : value;
  }

  present(_: Run, value: Value): Value {
    return toRows(this.tape, value);
  }

  /** What a quantizable step multiplies by. */
  productOf({ node }: Step): Product | undefined {
    return this.products.get(node);
  }

  /** How a run quantizes a product; undefined: in float32. */
  schemeOf({ node }: Step, product: Product, run: Run, { bits }: IntegerUse): ProductScheme | undefined {
    if (typeof bits !== 'function') return bits && this.schemesOf(bits).get(node);
    const chosen = bits(node, run.find(product.activation) as Value);
    return chosen && productScheme(node, product.kind, chosen);
  }

  compute(step: Step, run: Run, use: IntegerUse): Value | undefined {
    const product = this.productOf(step);
    if (!product) return this.float.compute(step, run, {});
    return this.product(step, product, run, this.schemeOf(step, product, run, use), use.inspect);
  }

  /** A quantizable step under this scheme; without, in float32. */
  product(
    step: Step,
    product: Product,
    run: Run,
    scheme: ProductScheme | undefined,
    inspect: IntegerUse['inspect'],
  ): Value {
    if (!scheme) return this.inFloat(step, run);
    if (isWeightsOnly(scheme.scheme)) return this.inFloat(step, run, this.floatWeight(step, product, scheme.scheme));
    try {
      return product.kind === 'conv'
        ? this.conv(step, product, run, scheme, inspect)
        : this.matmul(step, product, run, scheme, inspect);
    } catch (error) {
      if (error instanceof InvalidArgumentError) throw new GraphError(describeNode(step.node), error.message);
      throw error;
    }
  }

  /** The bias of a product: the node's, or the constant that a following addition adds. [channels] */
  biasOf(step: Step, product: Product): Float32Array | undefined {
    if (step.bias === undefined) return product.bias;
    return this.network.graph.initializers.get(step.bias)?.data as Float32Array;
  }

  private conv(
    step: Step,
    product: ConvProduct,
    run: Run,
    scheme: ProductScheme,
    inspect: IntegerUse['inspect'],
  ): Value {
    const { tape } = this;
    const input = run.find(product.activation) as Value;
    const x = toChannelsLast(tape, asImage(tape, input));
    const [n, c, h, w] = x.dims as [number, number, number, number];
    const { output, strides, dilations, pads } = productWindow(step.node, input.dims, product.kernel);
    const weights = this.weights.conv(product, scheme.scheme.weights);
    const residual = step.residual === undefined ? undefined : run.find(step.residual);
    const added = residual && toChannelsLast(tape, asImage(tape, residual));
    const y = tape.make([n, product.channels, ...output], 'channelsLast', []);
    const params = inspect && { scale: new Float32Array(n), zeroPoint: new Int32Array(n) };
    const { clip } = step;
    const { bias } = product;
    const start = inspect ? performance.now() : 0;
    conv2dDynamic(x.data, [n, h, w, c], weights, {
      strides,
      dilations,
      padding: pads,
      activationBits: activationBits(scheme),
      activationRange: scheme.scheme.activations.granularity,
      arithmetic: this.arithmetic,
      bias,
      residual: added?.data,
      clip,
      sampleScale: params?.scale,
      sampleZeroPoint: params?.zeroPoint,
      out: y.data,
      device: 'cpu',
    });
    if (params) {
      const milliseconds = performance.now() - start;
      inspect?.({ node: step.node, scheme, weights, x, y, bias, residual: added, clip, milliseconds, ...params });
    }
    return fromImage(tape, y, run.types.get(step.node.outputs[0] as string)?.dims as readonly number[]);
  }

  private matmul(
    step: Step,
    product: MatmulProduct,
    run: Run,
    scheme: ProductScheme,
    inspect: IntegerUse['inspect'],
  ): Value {
    const { tape } = this;
    const { addend } = product;
    const bias = this.biasOf(step, product);
    const rows = toRows(tape, run.find(product.activation) as Value);
    const x = product.transposed ? toRows(tape, transpose(tape, rows, [1, 0])) : rows;
    const weights = this.weights.matmul(product, scheme.scheme.weights);
    const m = x.size / weights.k;
    // What is added before the residual, and is no bias of the kernel's, keeps it from adding the residual itself.
    const after = addend !== undefined;
    const residual = step.residual === undefined ? undefined : run.find(step.residual);
    const added = residual && !after ? toRows(tape, residual) : undefined;
    const clip = after ? undefined : step.clip;
    const y = tape.make(run.types.get(step.node.outputs[0] as string)?.dims as readonly number[], 'rows', []);
    const params = inspect && { scale: new Float32Array(m), zeroPoint: new Int32Array(m) };
    const start = inspect ? performance.now() : 0;
    matmulDynamic(x.data, weights, {
      activationBits: spreadBits(activationBits(scheme), m),
      activationRange: scheme.scheme.activations.granularity,
      arithmetic: this.arithmetic,
      bias,
      residual: added?.data,
      clip,
      rowScale: params?.scale,
      rowZeroPoint: params?.zeroPoint,
      out: y.data,
      device: 'cpu',
    });
    if (params) {
      const milliseconds = performance.now() - start;
      inspect?.({ node: step.node, scheme, weights, x, y, bias, residual: added, clip, milliseconds, ...params });
    }
    if (!addend) return y;
    const addition = run.find(addend.name) as Value;
    const scaled = addend.factor === 1 ? addition : unary(tape, 'scale', addition, addend.factor);
    return this.finished(step, run, binary(tape, 'add', y, scaled));
  }

  /** Residual and clip where no kernel computes them. */
  private finished(step: Step, run: Run, value: Value): Value {
    const { tape } = this;
    let y = value;
    const residual = step.residual === undefined ? undefined : (run.find(step.residual) as Value);
    if (residual) y = binary(tape, 'add', y, residual);
    if (step.clip) y = unary(tape, 'clip', y, step.clip[0], step.clip[1]);
    return y;
  }

  /** The values of a weight's codes. */
  private floatWeight({ node }: Step, product: Product, { weights }: Scheme): Value {
    const { graph } = this.network;
    const view = productView(graph, node) as ProductView;
    const make = () => {
      const w = this.constants.get(view.weight) as Value;
      return quantizedWeight(this.tape, view, w, weights).data.slice();
    };
    return this.tape.constant(this.weights.dequantized(product, weights, make), view.weightDims);
  }

  /** A product in float32, by its weight or another. */
  private inFloat(step: Step, run: Run, weight?: Value): Value {
    let y = this.float.alone(step, run, weight) ?? (run.values.get(step.node.outputs[0] as string) as Value);
    const bias = step.bias === undefined ? undefined : run.find(step.bias);
    if (bias) y = binary(this.tape, 'add', y, bias);
    return this.finished(step, run, y);
  }

  get bytes(): number {
    return this.weights.bytes + this.memory.bytes;
  }

  end(): void {
    this.memory.reset();
  }

  dispose(): void {
    this.weights.dispose();
    this.end();
  }
}

/** Integers on the processor: every figure of a quantized network that is reported. */
export function integer(options: IntegerOptions = {}): Backend<IntegerUse> {
  return {
    name: 'integer',
    device: 'cpu',
    prepares: true,
    open: (network) => new IntegerEngine(network, options),
  };
}
