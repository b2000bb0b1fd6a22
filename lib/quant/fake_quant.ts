// The fake-quantizing interpreter: the float interpreter with the weight and the activation of every quantizable node
// replaced by what their codes stand for, under the contract of the integer interpreter (integer_plan.ts). Differentiable
// by a straight-through estimator: networks learn through it. No reported figure comes from it.

import { fakeQuantize } from '../autograd/ops/fake_quantize.js';
import { toChannelsLast, toRows } from '../autograd/ops/layout.js';
import { transpose } from '../autograd/ops/movement.js';
import { unary } from '../autograd/ops/unary.js';
import { nextVersion, type Tape, type Value } from '../autograd/tape.js';
import { InvalidArgumentError } from '../core/errors.js';
import { quantizableNodes } from '../graph/check.js';
import { FloatProgram, type FloatProgramOptions, type RunOptions } from '../graph/float.js';
import type { Graph, GraphNode } from '../graph/graph.js';
import type { Parameters } from '../graph/parameters.js';
import { prepare } from '../graph/prepare.js';
import { type ProductView, productView } from '../graph/product.js';
import type { WeightGranularity } from '../native/packed_weights.js';
import { checkPolicy, type Policy } from '../policy/policy.js';
import { spreadBits } from '../policy/spread_bits.js';
import { type BitChooser, type Feed, type IntegerPlanOptions, type ProductBits, productBits } from './integer_plan.js';

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
  private readonly products: ReadonlyMap<string, ProductView>;
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
    const products = quantizableNodes(this.graph).map(
      (node) => [node.name, productView(this.graph, node) as ProductView] as const,
    );
    this.products = new Map(products);
    const activations = products.map(([, { activation }]) => activation);
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
      const chosen = input && weight && choose(node, input);
      if (!chosen) return inputs;
      const bits = productBits(node, chosen);
      const product = this.products.get(node.name) as ProductView;
      const x = this.activation(tape, product, input, bits.activationBits, shared);
      const w = this.weight(tape, product, weight, bits.weightBits);
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
    return ({ name }) => policy.schemes.get(name);
  }

  private activation(
    tape: Tape,
    { kind, transposed, activation: name }: ProductView,
    input: Value,
    bits: number | Uint8Array,
    shared: Map<string, Shared>,
  ): Value {
    const isConv = kind === 'conv';
    const laidOut = isConv && input.dims.length === 4 ? toChannelsLast(tape, input) : toRows(tape, input);
    const x = transposed ? transpose(tape, laidOut, [1, 0]) : laidOut;
    const items = isConv ? (x.dims[0] as number) : x.size / (x.dims.at(-1) as number);
    const rows = this.perTensor ? 1 : items;
    if (this.perTensor && typeof bits !== 'number') {
      throw new InvalidArgumentError('fakeQuant', 'activationBits', 'one width, with ranges per tensor', 'several');
    }
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
  private weight(tape: Tape, { order, channels, alpha }: ProductView, w: Value, bits: number): Value {
    const { granularity } = this;
    const block = typeof granularity === 'object' ? granularity.blockSize : undefined;
    const scaled = alpha === 1 ? w : unary(tape, 'scale', w, alpha);
    // Within a row, the order of weights matters to blocks alone.
    const moved = order.some((axis, i) => axis !== i) && (block !== undefined || order[0] !== 0);
    const rows = granularity === 'perTensor' ? 1 : channels;
    let y = fakeQuantize(tape, moved ? transpose(tape, scaled, order) : scaled, {
      rows,
      bits,
      symmetric: true,
      ...(block === undefined ? {} : { block }),
    });
    if (moved)
      y = transpose(
        tape,
        y,
        [...order.keys()].map((axis) => order.indexOf(axis)),
      );
    if (alpha !== 1) y = unary(tape, 'scale', y, 1 / alpha);
    // Convolutions keep a reordered copy of weights that say which they are.
    y.version = nextVersion();
    return y;
  }
}
