// Fake quantization: full precision with the weight and the activation of every quantizable node replaced by what their
// codes stand for, under the contract of the integer backend. Differentiable by a straight-through estimator: networks
// learn through it. No reported figure is computed by it.
import { fakeQuantize } from '../../autograd/ops/fake_quantize.js';
import { toChannelsLast, toRows } from '../../autograd/ops/layout.js';
import { transpose } from '../../autograd/ops/movement.js';
import { unary } from '../../autograd/ops/unary.js';
import { nextVersion, type Tape, type Value } from '../../autograd/tape.js';
import { InvalidArgumentError } from '../../core/errors.js';
import { quantizableNodes } from '../../graph/check.js';
import type { GraphNode } from '../../graph/graph.js';
import { type ProductView, productView } from '../../graph/product.js';
import type { WeightGranularity } from '../../native/packed_weights.js';
import { checkPolicy, type Policy } from '../../policy/policy.js';
import { spreadBits } from '../../policy/spread_bits.js';
import type { Backend, Engine, Network, Results } from '../backend.js';
import { type BitChooser, type ProductBits, productBits } from '../bits.js';
import type { Fusions, Step } from '../compile.js';
import type { Feeds, Run } from '../run.js';
import { FloatEngine, type FloatOptions, type FloatUse } from './float.js';
import type { IntegerOptions } from './integer.js';

/** How fake quantization shares scales. */
export interface FakeQuantOptions extends FloatOptions, Pick<IntegerOptions, 'granularity' | 'activationRange'> {}

/** What one node was computed with. */
export interface Operands {
  readonly node: GraphNode;
  readonly bits: ProductBits;
  /** The activation and the weight after quantization and back, in the layouts the node reads. */
  readonly x: Value;
  readonly w: Value;
}

/** What one run is given. Runs on one tape, quantized or not, share the parameters: their gradients add up. */
export interface FakeQuantUse extends Omit<FloatUse, 'substitute'> {
  /** Absent: full precision. */
  readonly bits?: Policy | BitChooser | undefined;
  /** Sees the operands of every node that has bits, before it is computed. */
  readonly operands?: ((operands: Operands) => void) | undefined;
}

/** One node's activation, kept for the others that read the same with the same bits. */
interface Shared {
  readonly bits: number;
  readonly rows: number;
  readonly value: Value;
}

class FakeQuantEngine implements Engine<FakeQuantUse> {
  private readonly float: FloatEngine;
  private readonly granularity: WeightGranularity;
  private readonly perTensor: boolean;
  private readonly products: ReadonlyMap<string, ProductView>;
  /** Values that several quantizable nodes read as their activation. */
  private readonly readTwice: ReadonlySet<string>;
  private readonly shared = new WeakMap<Run, Map<string, Shared>>();

  constructor(
    private readonly network: Network,
    options: FakeQuantOptions,
  ) {
    const { granularity = 'perChannel', activationRange = 'perSample' } = options;
    this.float = new FloatEngine(network, options);
    this.granularity = granularity;
    this.perTensor = activationRange === 'perTensor';
    const { graph } = network;
    const products = quantizableNodes(graph).map(
      (node) => [node.name, productView(graph, node) as ProductView] as const,
    );
    this.products = new Map(products);
    const activations = products.map(([, { activation }]) => activation);
    this.readTwice = new Set(activations.filter((name, index) => activations.indexOf(name) !== index));
  }

  fuses(node: GraphNode): Fusions {
    return this.float.fuses(node);
  }

  check({ bits }: FakeQuantUse): void {
    if (bits && typeof bits !== 'function') checkPolicy(this.network.source, bits);
  }

  begin(use: FakeQuantUse) {
    return this.float.begin(use);
  }

  repeat(feeds: Feeds, use: FakeQuantUse, again: (feeds: Feeds, use: FakeQuantUse) => Results): Results | undefined {
    return use.bits ? undefined : this.float.repeat(feeds, use, again);
  }

  compute(step: Step, run: Run, use: FakeQuantUse): Value | undefined {
    const { bits, inspect } = use;
    if (!bits) return this.float.compute(step, run, { inspect });
    const choose = typeof bits === 'function' ? bits : ({ name }: GraphNode) => bits.schemes.get(name);
    const substitute = (node: GraphNode, inputs: readonly (Value | undefined)[]) => {
      const [input, weight, ...rest] = inputs;
      const scheme = input && weight && choose(node, input);
      if (!scheme) return inputs;
      const chosen = productBits(node, scheme);
      const product = this.products.get(node.name) as ProductView;
      const x = this.activation(run.tape, product, input, chosen.activationBits, this.sharedBy(run));
      const w = this.weight(run.tape, product, weight, chosen.weightBits);
      use.operands?.({ node, bits: chosen, x, w });
      return [x, w, ...rest];
    };
    return this.float.compute(step, run, { substitute, inspect });
  }

  finish(run: Run): void {
    for (const { value } of this.sharedBy(run).values()) run.tape.release(value);
  }

  private sharedBy(run: Run): Map<string, Shared> {
    let shared = this.shared.get(run);
    if (!shared) {
      shared = new Map();
      this.shared.set(run, shared);
    }
    return shared;
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

/** Training through quantization; `integer` computes the same network on integers. */
export function fakeQuant(options: FakeQuantOptions = {}): Backend<FakeQuantUse> {
  return {
    name: 'fakeQuant',
    device: 'cpu',
    prepares: true,
    open: (network) => new FakeQuantEngine(network, options),
  };
}
