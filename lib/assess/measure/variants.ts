// The same policies with scales shared more widely, and in the arithmetic of other processors.

import { perOutputChannel, perSample, perTensor } from '../../format/granularity.js';
import { policyFromJson, policyToJson } from '../../policy/json.js';
import { type Policy, withPolicyGranularities } from '../../policy/policy.js';
import { type Figures, figuresOf, type PolicyFigures, type Thresholds } from './figures.js';
import type { MeasureOptions, Measurer, PlanOptions } from './measurer.js';
import type { Part } from './part.js';

/** Another way to share scales, everything else as in the policies. */
export interface GranularityFigures extends Figures {
  readonly policy: string;
  readonly weights: 'perChannel' | 'perTensor';
  /** `perBatch`: a range for the whole batch. */
  readonly activations: 'perSample' | 'perBatch';
  readonly samples: number;
}

/** The arithmetic of other processors. */
export interface ProcessorFigures extends Figures {
  readonly name: string;
  readonly policy: string;
  readonly samples: number;
}

export const SATURATING = 'without VNNI (pairs of products saturate at 16 bits)';
export const REDUCED = 'without VNNI, weights in a reduced range';

async function compared(
  measurer: Measurer,
  part: Part,
  policies: readonly PolicyFigures[],
  thresholds: Thresholds,
  plan: PlanOptions | undefined,
  options: MeasureOptions,
) {
  const parsed = policies.map(({ policy }): Policy => policyFromJson(measurer.graph, policy));
  try {
    const outcomes = await measurer.run(part.samples, parsed, { ...options, plan });
    return outcomes.map((outcome, i) => ({
      policy: (policies[i] as PolicyFigures).name,
      samples: part.samples.count,
      ...figuresOf(part.samples.task, part.fp, outcome, part.samples.labels, thresholds),
    }));
  } finally {
    if (plan) measurer.forget(plan);
  }
}

/** One entry for each policy and each way to share scales; the first way is that of the policies themselves. */
export async function granularities(
  measurer: Measurer,
  part: Part,
  policies: readonly PolicyFigures[],
  thresholds: Thresholds,
  options: MeasureOptions,
): Promise<GranularityFigures[]> {
  const results: GranularityFigures[] = [];
  for (const weights of ['perChannel', 'perTensor'] as const) {
    for (const activations of ['perSample', 'perBatch'] as const) {
      const granularities = {
        weights: weights === 'perChannel' ? perOutputChannel : perTensor,
        activations: activations === 'perSample' ? perSample : perTensor,
      };
      const changed = policies.map((each) => ({
        ...each,
        policy: policyToJson(withPolicyGranularities(policyFromJson(measurer.graph, each.policy), granularities)),
      }));
      const figures = await compared(measurer, part, changed, thresholds, undefined, options);
      results.push(...figures.map((each) => ({ ...each, weights, activations })));
    }
  }
  return results;
}

/** One policy on processors that multiply bytes in saturating pairs, and what a reduced range of weights does there. */
export async function otherProcessors(
  measurer: Measurer,
  part: Part,
  policy: PolicyFigures,
  thresholds: Thresholds,
  options: MeasureOptions,
): Promise<ProcessorFigures[]> {
  const results: ProcessorFigures[] = [];
  for (const [name, reduceRange] of [
    [SATURATING, false],
    [REDUCED, true],
  ] as const) {
    const plan: PlanOptions = { arithmetic: 'saturating16', reduceRange };
    const [figures] = await compared(measurer, part, [policy], thresholds, plan, options);
    if (figures) results.push({ name, ...figures });
  }
  return results;
}
