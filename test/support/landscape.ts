// Landscapes whose optimum is known: a judge with a formula where the network would be.

import type { Scheme } from '../../lib/format/scheme.js';
import { buildModel } from '../../lib/models/index.js';
import { type BudgetOptions, BudgetSpace } from '../../lib/policy/budget.js';
import type { Policy } from '../../lib/policy/policy.js';
import { Judge } from '../../lib/search/judge.js';

export const GRAPH = buildModel('resnet8');

/** `measure`: from the bits of the nodes, in order, to a share. `asked`: policies scored, in order. */
export function stubJudge(
  measure: (bits: readonly Scheme[]) => number,
  budget: BudgetOptions = { bits: 6, choices: ['W4A4', 'W8A8'] },
  samples = 100,
): { readonly judge: Judge; readonly space: BudgetSpace; readonly asked: Policy[] } {
  const space = new BudgetSpace(GRAPH, budget);
  const asked: Policy[] = [];
  const judge = new Judge(GRAPH, space, {
    measure: 'agreement',
    samples,
    score: async (policies) => {
      asked.push(...policies);
      return policies.map(({ schemes: bits }) => ({ value: measure([...bits.values()]), confidence: 0 }));
    },
  });
  return { judge, space, asked };
}
