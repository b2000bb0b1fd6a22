// The passes that make an imported graph ready to run; each can be switched off.
import type { Graph } from '../graph.js';
import { foldBatchNormalization } from './fold_batch_normalization.js';
import { foldConstants } from './fold_constants.js';
import type { PassResult } from './rewrite.js';

export interface SimplifyOptions {
  /** Default true. */
  readonly foldConstants?: boolean;
  /** Default true. */
  readonly foldBatchNormalization?: boolean;
}

/** Constant folding, then batch-norm folding (which wants its parameters as initializers). */
export function simplify(graph: Graph, options: SimplifyOptions = {}): PassResult {
  const constants = options.foldConstants === false ? { graph, log: [] } : foldConstants(graph);
  const norms = options.foldBatchNormalization === false ? constants : foldBatchNormalization(constants.graph);
  return { graph: norms.graph, log: norms === constants ? constants.log : [...constants.log, ...norms.log] };
}
