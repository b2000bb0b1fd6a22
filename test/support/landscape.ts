// Landscapes whose optimum is known: a judge with a formula where the network would be.

import type { Scheme } from '../../lib/format/scheme.js';
import { buildModel } from '../../lib/models/index.js';
import { type BudgetOptions, BudgetSpace } from '../../lib/policy/budget.js';
import type { Policy } from '../../lib/policy/policy.js';
import { Judge, type Objective } from '../../lib/search/judge.js';
import { Random } from '../../lib/tensor/random.js';

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

const NODES = 10;
/** Of the budget of stubJudge: C(10, 5). */
export const POLICIES = 252;

/** Damage of four bits in each node, seeded. */
export function damages(seed: number): number[] {
  const random = new Random(seed);
  return Array.from({ length: NODES }, () => random.uniform(0, 0.1));
}

/** One minus the damages of the nodes at four bits. */
export const additive = (seed: number) => (bits: readonly Scheme[]) =>
  1 - damages(seed).reduce((sum, damage, i) => sum + (bits[i]?.weights.format.bits === 4 ? damage : 0), 0);

/** The measure of the policy that lowers the five nodes of most or least damage. */
export function optimum(seed: number, objective: Objective): number {
  const sorted = damages(seed).sort((a, b) => (objective === 'detrimental' ? b - a : a - b));
  return 1 - sorted.slice(0, NODES / 2).reduce((sum, damage) => sum + damage, 0);
}

/** Sums of ten numbers below one in another order. */
export const close = (a: number, b: number) => Math.abs(a - b) < 1e-12;
