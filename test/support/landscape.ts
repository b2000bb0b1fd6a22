// Landscapes whose optimum is known: a search problem with a formula where the network would be.
import { buildModel } from '../../lib/models/index.js';
import { type BudgetOptions, BudgetSpace } from '../../lib/quant/budget.js';
import type { NodeBits, Policy } from '../../lib/quant/policy.js';
import type { Goal, SearchProblem } from '../../lib/search/judge.js';
import { describeLayers } from '../../lib/search/layers.js';

export const GRAPH = buildModel('resnet8');

export interface StubProblem extends SearchProblem {
  /** Policies scored, in order. */
  readonly asked: Policy[];
}

/** `measure`: from the bits of the nodes, in order, to a share. */
export function stubProblem(
  goal: Goal,
  measure: (bits: readonly NodeBits[]) => number,
  budget: BudgetOptions = { bits: 6, choices: ['W4A4', 'W8A8'] },
): StubProblem {
  const space = new BudgetSpace(GRAPH, budget);
  const asked: Policy[] = [];
  return {
    space,
    goal,
    asked,
    layers: describeLayers(GRAPH, space.names),
    measure: 'agreement',
    samples: 100,
    score: async (policies) => {
      asked.push(...policies);
      return policies.map(({ bits }) => ({ value: measure([...bits.values()]), confidence: 0 }));
    },
  };
}
