// Effective bits: the mean that budgets are stated in. A tensor that is not quantized counts 16 bits (see NumericFormat).
import { InvalidArgumentError } from '../core/errors.js';
import { sizeOf } from '../core/shape.js';
import type { Scheme } from '../format/scheme.js';
import type { Graph, GraphNode } from '../graph/graph.js';
import { prepare } from '../graph/prepare.js';
import { summarize } from '../graph/printer.js';
import { productView } from '../graph/product.js';
import { checkPolicy, type Policy, policyNodes } from './policy.js';

/** Weight of a node in the mean: one, its weights, or its multiply-accumulates. */
export type Weighting = 'nodes' | 'weights' | 'macs';
/** Which bits of a node count: the mean of its weight and activation bits, or one of the two. */
export type Counted = 'both' | 'weights' | 'activations';

/** Options of the mean. */
export interface EffectiveBitsOptions {
  /** Default `nodes`. */
  readonly weighting?: Weighting | undefined;
  /** Default `both`. */
  readonly counted?: Counted | undefined;
}

/** Counted bits of a node in units of 1 / bitUnit(counted): always whole. */
export function countedBits({ weights, activations }: Scheme, counted: Counted): number {
  if (counted === 'both') return weights.format.bits + activations.format.bits;
  return counted === 'weights' ? weights.format.bits : activations.format.bits;
}

export function bitUnit(counted: Counted): number {
  return counted === 'both' ? 2 : 1;
}

/** Weight of each of these nodes: whole numbers. */
export function nodeWeights(graph: Graph, names: readonly string[], weighting: Weighting): number[] {
  if (weighting === 'nodes') return names.map(() => 1);
  const macs = new Map(
    weighting === 'macs' ? summarize(prepare(graph)).nodes.map((node) => [node.name, node.macs]) : [],
  );
  const prepared = prepare(graph);
  const weightsOf = (node: GraphNode) => sizeOf(productView(prepared, node)?.weightDims ?? []);
  const weight = new Map(policyNodes(graph).map((node) => [node.name, weightsOf(node)]));
  return names.map((name) => (weighting === 'macs' ? macs : weight).get(name) as number);
}

/**
 * The weighted mean of a policy's bits over the nodes it quantizes. Throws GraphError when it does not fit the graph,
 * InvalidArgumentError when it quantizes nothing.
 */
export function effectiveBits(graph: Graph, policy: Policy, options: EffectiveBitsOptions = {}): number {
  checkPolicy(graph, policy);
  const { weighting = 'nodes', counted = 'both' } = options;
  const names = [...policy.schemes.keys()];
  if (names.length === 0) throw new InvalidArgumentError('effectiveBits', 'policy', 'nodes that it quantizes', 'none');
  const weights = nodeWeights(graph, names, weighting);
  let [sum, total] = [0, 0];
  names.forEach((name, index) => {
    const weight = weights[index] as number;
    sum += weight * countedBits(policy.schemes.get(name) as Scheme, counted);
    total += weight;
  });
  return sum / total / bitUnit(counted);
}
