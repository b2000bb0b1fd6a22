// The integer interpreter: a graph with its batch norms folded, run on the integer kernels. A plan is compiled once; the
// policy comes with each run, so that policies share packed weights. What has no bits runs in float32.
import { binary } from '../autograd/ops/binary.js';
import { toChannelsLast, toRows } from '../autograd/ops/layout.js';
import { transpose } from '../autograd/ops/movement.js';
import { unary } from '../autograd/ops/unary.js';
import { Value } from '../autograd/tape.js';
import { InvalidArgumentError } from '../core/errors.js';
import { formatScheme, type Scheme, schemeOf } from '../format/scheme.js';
import { sizePerSample } from '../graph/dims.js';
import { GraphError } from '../graph/errors.js';
import { execute, executeOffTape, type Surroundings } from '../graph/execute.js';
import { describeNode, type Graph, type GraphNode, type TensorType } from '../graph/graph.js';
import { InferredShapes, inferShapes } from '../graph/infer.js';
import { asImage, fromImage } from '../graph/operators/window.js';
import { prepare } from '../graph/prepare.js';
import { conv2dDynamic, type PackedConvWeights } from '../native/conv2d.js';
import { matmulDynamic } from '../native/matmul.js';
import type { PackedWeights, WeightGranularity } from '../native/packed_weights.js';
import type { ArithmeticOptions } from '../native/product_end.js';
import { checkPolicy, type Policy } from '../policy/policy.js';
import { spreadBits } from '../policy/spread_bits.js';
import type { HostTensor } from '../tensor/host_tensor.js';
import { Memory } from '../tensor/memory.js';
import { InferenceTape } from './inference_tape.js';
import { compileSteps, convGeometry, type Step } from './integer_steps.js';
import { type ConvProduct, type MatmulProduct, WeightStore } from './product.js';

/** What shares scales, and in whose arithmetic. */
export interface IntegerPlanOptions {
  /** Values that a run returns beside the outputs; 'all' computes every node by itself. */
  readonly keep?: readonly string[] | 'all' | undefined;
  /** What shares a weight scale. Default `perChannel`. */
  readonly granularity?: WeightGranularity | undefined;
  /**
   * What shares an activation range: each sample (default; for matrix products each row, a token), so that a result
   * never depends on the rest of the batch; or the whole tensor.
   */
  readonly activationRange?: 'perSample' | 'perTensor' | undefined;
  /** Eight-bit weights in −64 … 64; see packWeights. Default false. */
  readonly reduceRange?: boolean | undefined;
  /** `saturating16`: what a processor without VNNI computes; see matmulDynamic. Default `exact`. */
  readonly arithmetic?: ArithmeticOptions['arithmetic'] | undefined;
}

/** Bits of one product in one run: those of its activation may differ by sample, [n]. */
export interface ProductBits {
  readonly weightBits: number;
  readonly activationBits: number | Uint8Array;
}

/** Chooses bits when a product's turn comes, seeing its activation; undefined: in float32. */
export type BitChooser = (node: GraphNode, activation: Value) => Scheme | ProductBits | undefined;

/** @internal The bits of a scheme, where a plan's own granularity is that of all nodes. */
export function productBits(node: GraphNode, chosen: Scheme | ProductBits): ProductBits {
  if (!('weights' in chosen)) return chosen;
  const { weights, activations } = chosen;
  if (chosen !== schemeOf(weights.format.bits, activations.format.bits)) {
    throw new GraphError(describeNode(node), `expected W2A2 … W8A8, received ${formatScheme(chosen)}`);
  }
  return { weightBits: weights.format.bits, activationBits: activations.format.bits };
}

/** One product as it was computed. */
export interface ProductRecord {
  readonly node: GraphNode;
  readonly bits: ProductBits;
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

/** What one run shows or keeps. */
export interface IntegerRunOptions {
  /** Sees every product as it is computed. */
  readonly inspect?: ((record: ProductRecord) => void) | undefined;
}

export type Feed = Value | HostTensor;

/** Samples whose largest value has about as many elements, 8 MB: what a layer writes is in the cache for the next. */
const BATCH_ELEMENTS = 2 ** 21;
const LEAST_BATCH = 8;
/** More gain nothing: a call costs microseconds, its work milliseconds. */
const MOST_BATCH = 500;

/** @internal What is known in the middle of a run. */
export interface RunState {
  readonly values: Map<string, Value>;
  readonly hosts: Map<string, HostTensor>;
  readonly types: ReadonlyMap<string, TensorType>;
  /** What shapes tell before anything is computed. */
  readonly known: ReadonlyMap<string, HostTensor>;
}

/** A network run on integers under any policy, weights packed once for each width. */
export class IntegerPlan {
  /** The graph that runs: constants and batch norms folded. */
  readonly graph: Graph;
  /** @internal */
  readonly steps: readonly Step[];
  /** @internal Elements of the largest value that a step computes, and of all of them, for one sample. */
  readonly largestValue: number;
  readonly allValues: number;
  /** @internal */
  protected readonly weights: WeightStore;
  /** @internal */
  protected readonly perTensor: boolean;
  /** @internal */
  protected readonly arithmetic: 'exact' | 'saturating16';
  private readonly requested: ReadonlySet<string>;
  private readonly memory = new Memory();
  /** @internal */
  protected readonly tape = new InferenceTape(this.memory);
  /** @internal */
  protected readonly constants = new Map<string, Value>();
  private readonly shapes: InferredShapes;
  private readonly checked = new WeakSet<Policy>();
  private disposed = false;

  /** Throws GraphError naming a node that no kernel computes. */
  constructor(
    readonly source: Graph,
    options: IntegerPlanOptions = {},
  ) {
    const { keep = [], granularity = 'perChannel', activationRange = 'perSample', arithmetic = 'exact' } = options;
    this.arithmetic = arithmetic;
    this.graph = prepare(source);
    this.shapes = new InferredShapes(this.graph);
    const all = keep === 'all' ? this.graph.nodes.flatMap((node) => node.outputs) : keep;
    this.requested = new Set([...this.graph.outputs.map(({ name }) => name), ...all]);
    const types = inferShapes(this.graph);
    this.steps = compileSteps(this.graph, types, this.requested);
    const sizes = this.steps.map(({ output }) => sizePerSample(types.get(output)?.dims ?? []));
    this.largestValue = Math.max(1, ...sizes);
    this.allValues = sizes.reduce((sum, size) => sum + size, 0);
    this.weights = new WeightStore(granularity, options.reduceRange);
    this.perTensor = activationRange === 'perTensor';
    for (const [name, tensor] of this.graph.initializers) {
      if (tensor.dtype !== 'float32') continue;
      this.constants.set(name, this.tape.constant(tensor.data as Float32Array, tensor.dims));
    }
  }

  /** Quantizable nodes in the order they run. */
  get products(): GraphNode[] {
    return this.steps.filter(({ product }) => product).map(({ node }) => node);
  }

  /** Memory held for packed weights and for values, in bytes. */
  get bytes(): number {
    return this.weights.bytes + this.memory.bytes;
  }

  /**
   * The graph's outputs (and `keep`) for these inputs. Float inputs of rank 4 are [N, C, H, W], or channels-last values.
   * The results are the plan's memory: gone with its next run. Throws GraphError naming node or input.
   */
  run(policy: Policy | BitChooser, feeds: Readonly<Record<string, Feed>>, options: IntegerRunOptions = {}) {
    const state = this.begin(feeds);
    this.advance(state, 0, this.steps.length, this.chooser(policy), options.inspect);
    return this.results(state);
  }

  /** @internal Samples at a time for an evaluation: what is in the cache when the next layer reads it. */
  get defaultBatch(): number {
    const most = Math.floor(BATCH_ELEMENTS / this.largestValue);
    return Math.min(MOST_BATCH, Math.max(LEAST_BATCH, most));
  }

  /** @internal */
  chooser(policy: Policy | BitChooser): BitChooser {
    if (typeof policy === 'function') return policy;
    if (!this.checked.has(policy)) {
      checkPolicy(this.source, policy);
      this.checked.add(policy);
    }
    return ({ name }) => policy.schemes.get(name);
  }

  /** @internal Forgets the last run and takes the inputs of another. */
  begin(feeds: Readonly<Record<string, Feed>>): RunState {
    if (this.disposed) throw new InvalidArgumentError('integer plan', 'plan', 'one in use', 'one disposed of');
    this.end();
    const { types, known } = this.shapes.of(feeds);
    const values = new Map<string, Value>();
    const hosts = new Map<string, HostTensor>([...this.graph.initializers, ...known]);
    for (const { name } of this.graph.inputs) {
      const feed = feeds[name];
      if (!feed) throw new GraphError(`input "${name}"`, 'is missing');
      if (!(feed instanceof Value) && feed.dtype !== 'float32') {
        hosts.set(name, feed);
        continue;
      }
      const value = feed instanceof Value ? feed : this.tape.constant(feed.data as Float32Array, feed.dims);
      values.set(name, this.placed(value));
    }
    return { values, hosts, types, known };
  }

  /** @internal An input as steps read it. */
  protected placed(value: Value): Value {
    return value.dims.length === 4 ? toChannelsLast(this.tape, value) : value;
  }

  /** @internal The same state for another way to go on; both are to be let go of. */
  fork(state: RunState): RunState {
    for (const { buffer } of state.values.values()) buffer.references += 1;
    return { ...state, values: new Map(state.values), hosts: new Map(state.hosts) };
  }

  /** @internal */
  letGo(state: RunState): void {
    for (const value of state.values.values()) this.tape.release(value);
    state.values.clear();
  }

  /** @internal */
  results(state: RunState): Map<string, Value> {
    const results = new Map<string, Value>();
    for (const name of this.requested) {
      const value = this.find(state, name);
      if (value) results.set(name, value.dims.length === 4 ? value : toRows(this.tape, value));
    }
    return results;
  }

  /** @internal A float32 value by its name, of this run or a constant. */
  protected find(state: RunState, name: string): Value | undefined {
    const value = state.values.get(name) ?? this.constants.get(name);
    const host = value ? undefined : state.hosts.get(name);
    return host?.dtype === 'float32' ? this.tape.constant(host.data as Float32Array, host.dims) : value;
  }

  /** @internal Runs the steps from one number up to another. */
  advance(state: RunState, from: number, to: number, choose: BitChooser, inspect?: IntegerRunOptions['inspect']): void {
    for (let index = from; index < to; index++) {
      const step = this.steps[index] as Step;
      const value = this.tape.scope(() => this.compute(step, state, choose, inspect));
      if (value) state.values.set(step.output, value);
      for (const name of step.last) {
        const gone = state.values.get(name);
        if (gone) this.tape.release(gone);
        state.values.delete(name);
      }
    }
  }

  /** @internal One step; undefined where its outputs are kept already. */
  protected compute(
    step: Step,
    state: RunState,
    choose: BitChooser,
    inspect: IntegerRunOptions['inspect'],
  ): Value | undefined {
    return step.product ? this.product(step, state, choose, inspect) : this.float(step, state);
  }

  private product(step: Step, state: RunState, choose: BitChooser, inspect: IntegerRunOptions['inspect']): Value {
    const { node, product } = step;
    const input = this.find(state, node.inputs[0] as string) as Value;
    const chosen = choose(node, input);
    if (!chosen) return this.excluded(step, state);
    const bits = productBits(node, chosen);
    try {
      return product?.kind === 'conv'
        ? this.conv(step, product, state, input, bits, inspect)
        : this.matmul(step, product as MatmulProduct, state, input, bits, inspect);
    } catch (error) {
      if (error instanceof InvalidArgumentError) throw new GraphError(describeNode(node), error.message);
      throw error;
    }
  }

  private conv(
    step: Step,
    product: ConvProduct,
    state: RunState,
    input: Value,
    bits: ProductBits,
    inspect: IntegerRunOptions['inspect'],
  ): Value {
    const { tape } = this;
    const x = toChannelsLast(tape, asImage(tape, input));
    const [n, c, h, w] = x.dims as [number, number, number, number];
    const { output, strides, dilations, padding } = convGeometry(step, product, input.dims);
    const weights = this.weights.conv(product, bits.weightBits);
    const residual = step.residual === undefined ? undefined : this.find(state, step.residual);
    const added = residual && toChannelsLast(tape, asImage(tape, residual));
    const y = tape.make([n, product.channels, ...output], 'channelsLast', []);
    const params = inspect && { scale: new Float32Array(n), zeroPoint: new Int32Array(n) };
    const { clip } = step;
    const { bias } = product;
    const start = inspect ? performance.now() : 0;
    conv2dDynamic(x.data, [n, h, w, c], weights, {
      strides,
      dilations,
      padding,
      activationBits: bits.activationBits,
      activationRange: this.perTensor ? 'perTensor' : 'perSample',
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
      inspect?.({ node: step.node, bits, weights, x, y, bias, residual: added, clip, milliseconds, ...params });
    }
    return fromImage(tape, y, state.types.get(step.node.outputs[0] as string)?.dims as readonly number[]);
  }

  private matmul(
    step: Step,
    product: MatmulProduct,
    state: RunState,
    input: Value,
    bits: ProductBits,
    inspect: IntegerRunOptions['inspect'],
  ): Value {
    const { tape } = this;
    const { addend, bias } = product;
    const rows = toRows(tape, input);
    const x = product.transposed ? toRows(tape, transpose(tape, rows, [1, 0])) : rows;
    const weights = this.weights.matmul(product, bits.weightBits);
    const m = x.size / weights.k;
    // What comes before the residual, and is no bias of the kernel's, keeps it from adding the residual itself.
    const after = addend !== undefined;
    const residual = step.residual === undefined ? undefined : this.find(state, step.residual);
    const added = residual && !after ? toRows(tape, residual) : undefined;
    const clip = after ? undefined : step.clip;
    const y = tape.make(state.types.get(step.node.outputs[0] as string)?.dims as readonly number[], 'rows', []);
    const params = inspect && { scale: new Float32Array(m), zeroPoint: new Int32Array(m) };
    const start = inspect ? performance.now() : 0;
    matmulDynamic(x.data, weights, {
      activationBits: spreadBits(bits.activationBits, m),
      activationRange: this.perTensor ? 'perTensor' : 'perRow',
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
      inspect?.({ node: step.node, bits, weights, x, y, bias, residual: added, clip, milliseconds, ...params });
    }
    if (!addend) return y;
    const addition = this.find(state, addend.name) as Value;
    const scaled = addend.factor === 1 ? addition : unary(tape, 'scale', addition, addend.factor);
    return this.finish(step, state, binary(tape, 'add', y, scaled));
  }

  /** Residual and clip where no kernel does them. */
  private finish(step: Step, state: RunState, value: Value): Value {
    const { tape } = this;
    let y = value;
    const residual = step.residual === undefined ? undefined : (this.find(state, step.residual) as Value);
    if (residual) y = binary(tape, 'add', y, residual);
    if (step.clip) y = unary(tape, 'clip', y, step.clip[0], step.clip[1]);
    return y;
  }

  /** A product that the policy leaves in float32. */
  private excluded(step: Step, state: RunState): Value {
    let y = this.operate(step, state) ?? (state.values.get(step.node.outputs[0] as string) as Value);
    const bias = step.bias === undefined ? undefined : this.find(state, step.bias);
    if (bias) y = binary(this.tape, 'add', y, bias);
    return this.finish(step, state, y);
  }

  /** A step that is no product; undefined where its outputs are kept already. */
  private float(step: Step, state: RunState): Value | undefined {
    const { node, operator, output } = step;
    if (state.known.has(output)) return undefined;
    if (node.inputs.every((name) => name === '' || (state.hosts.has(name) && !this.constants.has(name)))) {
      // Nothing of the tape comes in: shapes, axes, indices.
      const keep = (name: string, result: Value | HostTensor) => state.hosts.set(name, result as HostTensor);
      executeOffTape(node, operator, { ...this.surroundings(state), keep });
      return undefined;
    }
    return this.operate(step, state);
  }

  private operate({ node, operator, state: own, index }: Step, state: RunState): Value | undefined {
    const inputs = node.inputs.map((name) => this.find(state, name));
    const use = { node, operator, state: own, index, relu: false, clip: undefined, residual: undefined, inputs };
    return execute(use, this.surroundings(state));
  }

  /** @internal Whether anyone reads outputs of a node after its first. */
  protected readsOthers({ outputs }: GraphNode): boolean {
    const read = (name: string) => name !== '' && (this.requested.has(name) || this.graph.consumers(name).length > 0);
    return outputs.slice(1).some(read);
  }

  private surroundings(state: RunState): Surroundings {
    const { tape } = this;
    return {
      tape,
      types: state.types,
      readsOthers: (node) => this.readsOthers(node),
      host: (name) => state.hosts.get(name),
      keep: (name, result) => {
        if (result instanceof Value) state.values.set(name, result);
        else if (result.dtype !== 'float32') state.hosts.set(name, result);
        else state.values.set(name, tape.constant(result.data as Float32Array, result.dims));
      },
    };
  }

  /** @internal Lets go of the last run's values. */
  end(): void {
    this.memory.reset();
  }

  /** Frees packed weights and memory at once; any later run throws. */
  dispose(): void {
    this.disposed = true;
    this.weights.dispose();
    this.end();
  }
}
