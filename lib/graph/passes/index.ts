// The passes that make an imported graph ready to run; each can be switched off.
import type { Graph } from '../graph.js';
import { einsumProducts } from './einsum_products.js';
import { foldBatchNormalization } from './fold_batch_normalization.js';
import { foldConstants } from './fold_constants.js';
import { resolveShapes } from './resolve_shapes.js';
import type { PassResult } from './rewrite.js';
import { widenHalf } from './widen_half.js';

/** Which passes run. */
export interface SimplifyOptions {
  /** And what is computed from shapes alone. Default true. */
  readonly foldConstants?: boolean;
  /** Default true. */
  readonly foldBatchNormalization?: boolean;
}

/**
 * The graph with every weight in sight of a policy: half precision as float32, what is computed from constants alone as
 * initializers. Nodes that remain keep their names.
 */
export function revealWeights(graph: Graph): PassResult {
  const wide = widenHalf(graph);
  const folded = foldConstants(wide.graph);
  const products = einsumProducts(folded.graph);
  return { graph: products.graph, log: [...wide.log, ...folded.log, ...products.log] };
}

/**
 * Half precision to float32, shape resolution, constant folding, then batch-norm folding (which needs its parameters
 * as initializers).
 */
export function simplify(graph: Graph, options: SimplifyOptions = {}): PassResult {
  const wide = widenHalf(graph);
  const shapes = options.foldConstants === false ? { graph: wide.graph, log: [] } : resolveShapes(wide.graph);
  const constants = options.foldConstants === false ? shapes : foldConstants(shapes.graph);
  const products = einsumProducts(constants.graph);
  const norms = options.foldBatchNormalization === false ? products : foldBatchNormalization(products.graph);
  const steps = [wide, shapes, constants, products, norms];
  return { graph: norms.graph, log: [...new Set(steps)].flatMap(({ log }) => log) };
}
