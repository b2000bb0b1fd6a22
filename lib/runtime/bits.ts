// Bits of one product in one run, and who chooses them.
import type { Value } from '../autograd/tape.js';
import { formatScheme, type Scheme, schemeOf } from '../format/scheme.js';
import { GraphError } from '../graph/errors.js';
import { describeNode, type GraphNode } from '../graph/graph.js';

/** Bits of one product in one run: those of its activation may differ by sample, [n]. */
export interface ProductBits {
  readonly weightBits: number;
  readonly activationBits: number | Uint8Array;
}

/** Chooses bits when a product's turn comes, seeing its activation; undefined: in float32. */
export type BitChooser = (node: GraphNode, activation: Value) => Scheme | ProductBits | undefined;

/** The bits of a scheme, where a backend's own granularity is that of all nodes. Throws GraphError for other schemes. */
export function productBits(node: GraphNode, chosen: Scheme | ProductBits): ProductBits {
  if (!('weights' in chosen)) return chosen;
  const { weights, activations } = chosen;
  if (chosen !== schemeOf(weights.format.bits, activations.format.bits)) {
    throw new GraphError(describeNode(node), `expected W2A2 … W8A8, received ${formatScheme(chosen)}`);
  }
  return { weightBits: weights.format.bits, activationBits: activations.format.bits };
}
