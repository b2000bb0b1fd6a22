// What would help where a policy fails, measured: channels equalized, one more bit, some nodes kept at more bits. Chosen
// on one part of the samples, judged on the other; which of them works also identifies the kind of failure.

import { MOST_BITS } from '../../format/numeric_format.js';
import { type Scheme, shiftBits } from '../../format/scheme.js';
import { equalize } from '../../graph/channels/equalize.js';
import { type PolicyJson, policyToJson } from '../../policy/json.js';
import type { Policy } from '../../policy/policy.js';
import { percentScore } from '../../tasks/task.js';
import { type Figures, figuresOf, type Thresholds } from '../measure/figures.js';
import { type MeasureOptions, Measurer, type PolicyAnswers } from '../measure/measurer.js';
import type { Part } from '../measure/part.js';
import { excluding, type NodeSensitivity } from '../measure/sensitivity.js';

export interface Remedy extends Figures {
  /** `oneFewerBit` is a test, not a remedy: it also undoes a learned failure, and rounding noise grows. */
  readonly kind: 'equalize' | 'oneMoreBit' | 'oneFewerBit' | 'keepNodes';
  /** What is done, in words. */
  readonly what: string;
  /** With `keepNodes`: those kept, most gain first. */
  readonly nodes: readonly string[];
  readonly policy: PolicyJson;
}

/** The policy with so many bits more for every weight and activation. */
function shifted(policy: Policy, by: number): Policy {
  const schemes = [...policy.schemes].map(([name, scheme]) => [name, shiftBits(scheme, by, by)] as const);
  return { ...policy, schemes: new Map(schemes) };
}

const isEight = (scheme: Scheme) => shiftBits(scheme, 1, 1) === scheme;

/** The policy with some nodes at 8 bits, those that have them already in float32. */
function keep(policy: Policy, nodes: readonly string[]): Policy {
  const full = nodes.filter((name) => isEight(policy.schemes.get(name) as Scheme));
  const raised = new Set(nodes.filter((name) => !full.includes(name)));
  const { schemes, excluded } = excluding(policy, full);
  const kept = [...schemes].map(
    ([name, scheme]) => [name, raised.has(name) ? shiftBits(scheme, MOST_BITS, MOST_BITS) : scheme] as const,
  );
  return { schemes: new Map(kept), excluded };
}

/**
 * The fewest of the nodes, in the order of what each restores, that bring the drop under the threshold on the choosing
 * part; all of the order when none does.
 */
async function fewestNodes(
  measurer: Measurer,
  part: Part,
  policy: Policy,
  order: readonly string[],
  thresholds: Thresholds,
  options: MeasureOptions,
): Promise<readonly string[]> {
  const prefixes = order.map((_, i) => order.slice(0, i + 1));
  const policies = prefixes.map((nodes) => keep(policy, nodes));
  const outcomes = await measurer.run(part.samples, policies, options);
  const percent = ({ answers }: PolicyAnswers) => percentScore(part.samples.task, answers, part.expected);
  const fp = percent(part.fp);
  const allowed = thresholds.dropType === 'relative' ? (thresholds.maxDrop / 100) * fp : thresholds.maxDrop;
  const enough = outcomes.findIndex((outcome) => fp - percent(outcome) <= allowed);
  return prefixes[enough < 0 ? prefixes.length - 1 : enough] ?? [];
}

/** `choose` and `judge` have no sample in common; `sensitivity` is that of the policy. */
export async function remediesFor(
  measurer: Measurer,
  choose: Part,
  judge: Part,
  policy: Policy,
  sensitivity: readonly NodeSensitivity[],
  thresholds: Thresholds,
  options: MeasureOptions = {},
): Promise<Remedy[]> {
  const { task, labels } = judge.samples;
  const figures = (outcome: PolicyAnswers) => figuresOf(task, judge.fp, outcome, labels, thresholds);
  const remedies: Remedy[] = [];
  const { graph, groups } = equalize(measurer.graph);
  if (groups.groups.length > 0) {
    const equalized = new Measurer(graph);
    try {
      const [outcome] = await equalized.run(judge.samples, [policy], options);
      const what = 'cross-layer equalization before quantizing';
      remedies.push({
        kind: 'equalize',
        what,
        nodes: [],
        policy: policyToJson(policy),
        ...figures(outcome as PolicyAnswers),
      });
    } finally {
      equalized.dispose();
    }
  }
  // What a layer does alone, and what it is that stays when all others do it too: either can be nothing for a guilty one.
  const harm = ({ drop, restored }: NodeSensitivity) => drop + restored;
  const order = [...sensitivity].sort((a, b) => harm(b) - harm(a)).map(({ node }) => node);
  const nodes = await fewestNodes(measurer, choose, policy, order, thresholds, options);
  const kept = keep(policy, nodes);
  const schemes = [...policy.schemes.values()];
  const least = (scheme: Scheme) => shiftBits(scheme, -1, -1) === scheme;
  const further = [
    ...(schemes.every(isEight) ? [] : [['oneMoreBit', 'one more bit', shifted(policy, 1)] as const]),
    ...(schemes.every(least) ? [] : [['oneFewerBit', 'a test: one bit fewer', shifted(policy, -1)] as const]),
  ];
  const outcomes = await measurer.run(judge.samples, [kept, ...further.map(([, , other]) => other)], options);
  const [first, ...others] = outcomes;
  further.forEach(([kind, change, other], i) => {
    const what = `${change} for weights and activations everywhere`;
    remedies.push({ kind, what, nodes: [], policy: policyToJson(other), ...figures(others[i] as PolicyAnswers) });
  });
  const floats = nodes.filter((name) => kept.excluded.has(name));
  const parts = [
    ...(floats.length < nodes.length
      ? [`at 8 bits: ${nodes.filter((name) => !floats.includes(name)).join(', ')}`]
      : []),
    ...(floats.length > 0 ? [`in float32: ${floats.join(', ')}`] : []),
  ];
  const what = `keep ${parts.join('; ')}`;
  remedies.push({ kind: 'keepNodes', what, nodes, policy: policyToJson(kept), ...figures(first as PolicyAnswers) });
  return remedies;
}
