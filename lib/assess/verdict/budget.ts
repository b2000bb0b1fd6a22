// The default budget of an assessment's search: half of the nodes at 4 bits, half at 8.

import { parseScheme } from '../../format/scheme.js';
import type { Graph } from '../../graph/graph.js';
import { BudgetSpace } from '../../policy/budget.js';
import { countedBits } from '../../policy/effective_bits.js';
import { quantizedNames } from '../../policy/policy.js';

/** What is searched. */
export interface SearchBudget {
  /** What a node may get. Default W4A4, W8A8. */
  readonly choices: readonly string[];
  /** Effective bits of every policy. Default: the middle of the choices, or the nearest below that can be met. */
  readonly bits: number;
}

/** Throws InvalidArgumentError on a budget that no policy meets. */
export function defaultBudget(graph: Graph, budget: Partial<SearchBudget>): { space: BudgetSpace; bits: number } {
  const { choices = ['W4A4', 'W8A8'] } = budget;
  const bits = budget.bits ?? middle(graph, choices);
  return { space: new BudgetSpace(graph, { bits, choices }), bits };
}

/** Half of the nodes, rounded down, at the choice of most bits, the others at the one of fewest. */
function middle(graph: Graph, choices: readonly string[]): number {
  const counted = choices.map((choice) => countedBits(parseScheme(choice), 'both') / 2);
  const count = quantizedNames(graph).names.length;
  const high = Math.floor(count / 2);
  return (high * Math.max(...counted) + (count - high) * Math.min(...counted)) / count;
}
