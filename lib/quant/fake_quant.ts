// The fake-quantizing interpreter: the float interpreter with the weight and the activation of every quantizable node
// replaced by what their codes stand for, under the contract of the integer interpreter (integer_plan.ts). Differentiable
// by a straight-through estimator: networks learn through it. No reported figure comes from it.
import { fakeQuantize } from '../autograd/ops/fake_quantize.js';
import { toChannelsLast, toRows } from '../autograd/ops/layout.js';
import { transpose } from '../autograd/ops/movement.js';
import { unary } from '../autograd/ops/unary.js';
import { nextVersion, type Tape, type Value } from '../autograd/tape.js';
import { InvalidArgumentError } from '../core/errors.js';
import { operatorOf } from '../graph/check.js';
import { FloatProgram, type FloatProgramOptions, type RunOptions } from '../graph/float.js';
import type { Graph, GraphNode } from '../graph/graph.js';
import { attributesOf } from '../graph/operator.js';
import type { Parameters } from '../graph/parameters.js';
import { prepare } from '../graph/prepare.js';
import type { WeightGranularity } from '../native/packed_weights.js';
import type { BitChooser, Feed, IntegerPlanOptions, ProductBits } from './integer_plan.js';
import { checkPolicy, type Policy } from './policy.js';
import { spreadBits } from './spread_bits.js';

/** How fake quantization shares scales. */
export interface FakeQuantOptions
  extends FloatProgramOptions,
    Pick<IntegerPlanOptions, 'granularity' | 'activationRange'> {}

/** What one node was computed with. */
export interface Operands {
  readonly node: GraphNode;
  readonly bits: ProductBits;
  /** The activation and the weight after quantization and back, in the layouts the node reads. */
  readonly x: Value;
  readonly w: Value;
}

/** What one run returns or shows. */
export interface FakeQuantRunOptions extends Omit<RunOptions, 'substitute'> {
  /** Sees the operands of every node that has bits, before it is computed. */
  readonly operands?: (operands: Operands) => void;
}

/** One node's activation, kept for the others that read the same with the same bits. */
interface Shared {
  readonly bits: number;
  readonly rows: number;
  readonly value: Value;
}

/** A network run in float32 on quantized and dequantized operands, with gradients straight through. */
export class FakeQuantProgram {
  /** The graph that runs: constants and batch norms folded. Parameters are to be made of it. */
  readonly graph: Graph;
  private readonly program: FloatProgram;
  private readonly granularity: WeightGranularity;
  private readonly perTensor: boolean;
  /** Values that several quantizable nodes read as their activation. */
  private readonly readTwice: ReadonlySet<string>;

  constructor(
    readonly source: Graph,
    options: FakeQuantOptions = {},
  ) {
    const { granularity = 'perChannel', activationRange = 'perSample', ...rest } = options;
    this.graph = prepare(source);
    this.program = new FloatProgram(this.graph, rest);
    this.granularity = granularity;
    this.perTensor = activationRange === 'perTensor';
    const activations = this.graph.nodes
      .filter((node) => operatorOf(node).quantization)
      .map(({ inputs }) => inputs[0] as string);
    this.readTwice = new Set(activations.filter((name, index) => activations.indexOf(name) !== index));
  }

  /**
   * Runs the graph on a tape as `policy` quantizes it. Several runs on one tape, quantized or not (`runFloat`), share the
   * parameters: their gradients add up. Throws GraphError naming input or node.
   */
  run(
    tape: Tape,
    parameters: Parameters,
    policy: Policy | BitChooser,
    feeds: Readonly<Record<string, Feed>>,
    options: FakeQuantRunOptions = {},
  ): Map<string, Value> {
    const choose = this.chooser(policy);
    const shared = new Map<string, Shared>();
    const substitute = (node: GraphNode, inputs: readonly (Value | undefined)[]) => {
      const [input, weight, ...rest] = inputs;
      const bits = input && weight && choose(node, input);
      if (!bits) return inputs;
      const x = this.activation(tape, node, input, bits.activationBits, shared);
      const w = this.weight(tape, node, weight, bits.weightBits);
      options.operands?.({ node, bits, x, w });
      return [x, w, ...rest];
    };
    const results = this.program.run(tape, parameters, feeds, { ...options, substitute });
    for (const { value } of shared.values()) tape.release(value);
    return results;
  }

  /** The same graph in full precision. */
  runFloat(
    tape: Tape,
    parameters: Parameters,
    feeds: Readonly<Record<string, Feed>>,
    options: Omit<RunOptions, 'substitute'> = {},
  ): Map<string, Value> {
    return this.program.run(tape, parameters, feeds, options);
  }

  private chooser(policy: Policy | BitChooser): BitChooser {
    if (typeof policy === 'function') return policy;
    checkPolicy(this.source, policy);
    return ({ name }) => policy.bits.get(name);
  }

  private activation(
    tape: Tape,
    node: GraphNode,
    input: Value,
    bits: number | Uint8Array,
    shared: Map<string, Shared>,
  ): Value {
    const isConv = node.operator === 'Conv';
    const attributes = attributesOf(operatorOf(node), node) as unknown as { readonly transA?: number };
    const transposed = node.operator === 'Gemm' && attributes.transA !== 0;
    const laidOut = isConv && input.dims.length === 4 ? toChannelsLast(tape, input) : toRows(tape, input);
    const x = transposed ? transpose(tape, laidOut, [1, 0]) : laidOut;
    const items = isConv ? (x.dims[0] as number) : x.size / (x.dims.at(-1) as number);
    const rows = this.perTensor ? 1 : items;
    if (this.perTensor && typeof bits !== 'number') {
      throw new InvalidArgumentError('fakeQuant', 'activationBits', 'one width, with ranges per tensor', 'several');
    }
    const name = node.inputs[0] as string;
    const shares = typeof bits === 'number' && !transposed && this.readTwice.has(name);
    const known = shares ? shared.get(name) : undefined;
    if (known && known.bits === bits && known.rows === rows) {
      known.value.buffer.references += 1;
      return known.value;
    }
    const y = fakeQuantize(tape, x, { rows, bits: spreadBits(bits, rows), symmetric: false });
    if (shares && !known) {
      y.buffer.references += 1;
      shared.set(name, { bits, rows, value: y });
    }
    return transposed ? transpose(tape, y, [1, 0]) : y;
  }

  /** Ranges run over what the integer kernels pack as a row: [outChannels, kernelH · kernelW · channels] or [n, k]. */
  private weight(tape: Tape, node: GraphNode, w: Value, bits: number): Value {
    const attributes = attributesOf(operatorOf(node), node) as unknown as { transB?: number; alpha?: number };
    const { granularity } = this;
    const block = typeof granularity === 'object' ? granularity.blockSize : undefined;
    const quantized = (x: Value, channels: number) => {
      const rows = granularity === 'perTensor' ? 1 : channels;
      return fakeQuantize(tape, x, { rows, bits, symmetric: true, ...(block === undefined ? {} : { block }) });
    };
    let y: Value;
    if (node.operator === 'Conv') {
      // The order of weights in a row matters to blocks alone.
      const [channels = 1] = w.dims;
      const spatial = [...Array(w.dims.length).keys()].slice(2);
      const reordered = block === undefined ? w : transpose(tape, w, [0, ...spatial, 1]);
      y = quantized(reordered, channels);
      if (block !== undefined) y = transpose(tape, y, [0, w.dims.length - 1, ...spatial.map((axis) => axis - 1)]);
    } else if (w.dims.length === 1) {
      y = quantized(w, 1);
    } else {
      const rank = w.dims.length;
      const swap = [...Array(rank - 2).keys(), rank - 1, rank - 2];
      const { transB = 0, alpha = 1 } = node.operator === 'Gemm' ? attributes : {};
      const scaled = alpha === 1 ? w : unary(tape, 'scale', w, alpha);
      const across = transB !== 0 ? scaled : transpose(tape, scaled, swap);
      y = quantized(across, across.dims.at(-2) as number);
      if (transB === 0) y = transpose(tape, y, swap);
      if (alpha !== 1) y = unary(tape, 'scale', y, 1 / alpha);
    }
    // Convolutions keep a reordered copy of weights that say which they are.
    y.version = nextVersion();
    return y;
  }
}
