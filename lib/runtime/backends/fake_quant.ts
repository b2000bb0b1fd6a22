// Fake quantization: full precision with the weight and the activation of every quantizable node replaced by what their
// codes stand for, under the contract of the integer backend. Differentiable by a straight-through estimator: networks
// learn through it. No reported figure is computed by it.
import { fakeQuantize } from '../../autograd/ops/fake_quantize.js';
import { toChannelsLast, toRows } from '../../autograd/ops/layout.js';
import { transpose } from '../../autograd/ops/movement.js';
import { nextVersion, type Tape, type Value } from '../../autograd/tape.js';
import type { GraphNode } from '../../graph/graph.js';
import { type ProductView, productsOf, withOperands } from '../../graph/product.js';
import { checkPolicy, type Policy } from '../../policy/policy.js';
import { spreadBits } from '../../policy/spread_bits.js';
import type { Backend, Engine, Network, Results } from '../backend.js';
import type { Fusions, Step } from '../compile.js';
import { activationBits, type ProductScheme, productScheme, type SchemeChooser } from '../product_scheme.js';
import type { Feeds, Run } from '../run.js';
import { FloatEngine, type FloatOptions, type FloatUse } from './float.js';
import { quantizedWeight } from './quantized_weight.js';

/** What one node was computed with. */
export interface Operands {
  readonly node: GraphNode;
  readonly scheme: ProductScheme;
  /** The activation and the weight after quantization and back, in the layouts the node reads. */
  readonly x: Value;
  readonly w: Value;
}

/** Arguments of one run. Runs on one tape, quantized or not, share the parameters: their gradients add up. */
export interface FakeQuantUse extends Omit<FloatUse, 'substitute'> {
  /** Absent: full precision. */
  readonly bits?: Policy | SchemeChooser | undefined;
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
  private readonly products: ReadonlyMap<string, ProductView>;
  /** Values that several quantizable nodes read as their activation. */
  private readonly readTwice: ReadonlySet<string>;
  private readonly shared = new WeakMap<Run, Map<string, Shared>>();

  constructor(
    private readonly network: Network,
    options: FloatOptions,
  ) {
    this.float = new FloatEngine(network, options);
    const { graph } = network;
    const products = productsOf(graph);
    this.products = new Map(products.map(([{ name }, view]) => [name, view]));
    const activations = products.map(([, { activation }]) => activation);
    const seen = new Set<string>();
    this.readTwice = new Set(activations.filter((name) => seen.has(name) || !seen.add(name)));
  }

  fuses(node: GraphNode): Fusions {
    return this.float.fuses(node);
  }

  check({ bits }: FakeQuantUse): void {
    if (bits && typeof bits !== 'function') checkPolicy(this.network.graph, bits);
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
      const product = this.products.get(node.name) as ProductView;
      const [input, weight] = [inputs[product.activationInput], inputs[product.weightInput]];
      const chosen = input && weight && choose(node, input);
      if (!chosen) return inputs;
      const scheme = productScheme(node, product.kind, chosen);
      const x = this.activation(run.tape, product, input, scheme, this.sharedBy(run));
      const w = quantizedWeight(run.tape, product, weight, scheme.scheme.weights);
      // Convolutions keep a reordered copy of weights that say which they are.
      w.version = nextVersion();
      use.operands?.({ node, scheme, x, w });
      return withOperands(product, inputs, x, w);
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
    scheme: ProductScheme,
    shared: Map<string, Shared>,
  ): Value {
    const { format, granularity } = scheme.scheme.activations;
    if (format.kind === 'float') return input;
    const bits = activationBits(scheme);
    const isConv = kind === 'conv';
    const laidOut = isConv && input.dims.length === 4 ? toChannelsLast(tape, input) : toRows(tape, input);
    const x = transposed ? transpose(tape, laidOut, [1, 0]) : laidOut;
    const items = isConv ? (x.dims[0] as number) : x.size / (x.dims.at(-1) as number);
    const rows = granularity.kind === 'perTensor' ? 1 : items;
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
}

/** Training through quantization; `integer` computes the same network on integers. */
export function fakeQuant(options: FloatOptions = {}): Backend<FakeQuantUse> {
  return {
    name: 'fakeQuant',
    device: 'cpu',
    prepares: true,
    open: (network) => new FakeQuantEngine(network, options),
  };
}
