// Policy repair: another policy for the same network. First the same bits dealt evenly, where that is better: a failure
// that was learned for one policy seldom survives another. Then, where more bits are allowed, bits added where they pay
// most: one at a time, to the weights or the activation of one node, the step that wins most agreement, until they are
// spent or no step wins anything. It comes after the cures that leave the policy as it was chosen.

import { formatOfAtMost } from '../../format/numeric_format.js';
import { formatScheme, type Scheme, schemeOf, shiftBits } from '../../format/scheme.js';
import { countedBits, effectiveBits } from '../../policy/effective_bits.js';
import type { Policy } from '../../policy/policy.js';
import { InputPolicy } from '../../search/input_policy.js';
import { type Answers, percentScore, total } from '../../tasks/task.js';
import { type MeasureOptions, Measurer, type PolicyAnswers } from '../measure/measurer.js';
import type { Samples } from '../samples.js';
import { type Candidate, type Cure, type Cured, quantizedAnswers, staticPolicy } from './cure.js';

interface Raise {
  readonly node: string;
  readonly bits: Scheme;
  /** Points of agreement won. */
  readonly gain: number;
}

interface RepairedPolicy {
  readonly policy: Policy;
  readonly raises: readonly Raise[];
}

/** Agreement to a third of a point: a step is judged by differences, and there are many to judge. */
const IMAGES = 500;

function raised(policy: Policy, node: string, bits: Scheme): Policy {
  return { ...policy, schemes: new Map([...policy.schemes, [node, bits]]) };
}

/** Every policy with one bit more in one place; both kinds at once too, since either alone may win nothing. */
function steps(policy: Policy, halves: number): { readonly node: string; readonly bits: Scheme; cost: number }[] {
  return [...policy.schemes].flatMap(([node, scheme]) =>
    (
      [
        [1, 0],
        [0, 1],
        [1, 1],
      ] as const
    )
      .map(([w, a]) => ({ node, bits: shiftBits(scheme, w, a), cost: w + a }))
      .filter(({ bits, cost }) => countedBits(bits, 'both') - countedBits(scheme, 'both') === cost && cost <= halves),
  );
}

/**
 * Raises bits of `policy` by at most `more` effective bits (the mean over nodes of weight and activation bits), most gain
 * in agreement with `expected` per bit first.
 */
export async function repairPolicy(
  measurer: Measurer,
  samples: Samples,
  expected: Answers,
  policy: Policy,
  more: number,
  options: MeasureOptions = {},
): Promise<RepairedPolicy> {
  const agreement = (answers: Answers) => total(samples.task.scores(answers, expected));
  // Two halves, weights and activation, of each node make a bit of the mean.
  const budget = Math.floor(2 * more * policy.schemes.size);
  let halves = budget;
  let current = policy;
  const [outcome] = await measurer.run(samples, [policy], options);
  let right = agreement((outcome as PolicyAnswers).answers);
  const raises: Raise[] = [];
  while (halves > 0 && right < samples.count) {
    const tried = steps(current, halves);
    if (tried.length === 0) break;
    const outcomes = await measurer.run(
      samples,
      tried.map(({ node, bits }) => raised(current, node, bits)),
      { ...options, onProgress: undefined },
    );
    const gains = outcomes.map(({ answers }, i) => (agreement(answers) - right) / (tried[i] as { cost: number }).cost);
    const best = gains.reduce((most, gain, i) => (gain > (gains[most] as number) ? i : most), 0);
    if (!((gains[best] as number) > 0)) break;
    const { node, bits, cost } = tried[best] as { node: string; bits: Scheme; cost: number };
    const won = (gains[best] as number) * cost;
    current = raised(current, node, bits);
    right += won;
    halves -= cost;
    raises.push({ node, bits, gain: (100 * won) / samples.count });
    options.onProgress?.(budget - halves, budget);
  }
  return { policy: current, raises };
}

/**
 * The bits of a policy dealt evenly: to every node the mean of all, rounded down, of an agent's policies the mean that
 * each input has. Undefined where they are even already.
 */
export function evenPolicy(policy: Policy | InputPolicy): Policy | undefined {
  const [options] = policy instanceof InputPolicy ? policy.space.all() : [];
  const dealt = policy instanceof InputPolicy ? policy.space.decode(options ?? []) : policy;
  const all = [...dealt.schemes.values()];
  if (all.length === 0 || (policy === dealt && new Set(all.map(formatScheme)).size === 1)) return undefined;
  const mean = (operand: 'weights' | 'activations') =>
    formatOfAtMost(all.reduce((sum, scheme) => sum + scheme[operand].format.bits, 0) / all.length);
  const even = schemeOf(mean('weights'), mean('activations'));
  return { ...dealt, schemes: new Map([...dealt.schemes.keys()].map((name) => [name, even])) };
}

/** The policy dealt evenly, where that agrees better; it costs no bits. */
async function dealtEvenly(
  candidate: Candidate,
  samples: Samples,
  expected: Answers,
  signal: AbortSignal | undefined,
): Promise<Cured | undefined> {
  const even = evenPolicy(candidate.policy);
  const [scheme] = even?.schemes.values() ?? [];
  if (!even || !scheme) return undefined;
  const dealt = { ...candidate, policy: even };
  const agreement = async (one: Candidate) =>
    percentScore(samples.task, await quantizedAnswers(one, samples, signal), expected);
  if ((await agreement(dealt)) <= (await agreement(candidate))) return undefined;
  return { candidate: dealt, what: `no more bits, spread evenly: ${formatScheme(scheme)} everywhere` };
}

export function policyRepair(more: number): Cure {
  return {
    name: 'policy repair',
    scene: 'clean',
    async apply(candidate, { samples, answers }, { signal, onProgress }) {
      const few = Int32Array.from({ length: Math.min(IMAGES, samples.count) }, (_, i) => i);
      const part = samples.take(few);
      const expected = samples.task.take(answers, few);
      const dealt = await dealtEvenly(candidate, part, expected, signal);
      const base = dealt?.candidate ?? candidate;
      const policy = staticPolicy(base);
      if (!policy || !(more > 0)) {
        const agent = policy ? '' : ' an agent chooses the bits of each input;';
        return dealt ?? { reason: `no further bits are allowed;${agent} dealt evenly these are no better` };
      }
      const measurer = new Measurer(base.graph);
      try {
        const { policy: better, raises } = await repairPolicy(measurer, part, expected, policy, more, {
          signal,
          onProgress,
        });
        if (raises.length === 0) return dealt ?? { reason: 'no single bit more, anywhere, wins anything' };
        const nodes = new Set(raises.map(({ node }) => node));
        const [before, after] = [policy, better].map((each) => effectiveBits(base.graph, each).toFixed(2));
        const what = `${before} → ${after} effective bits, more for ${[...nodes].join(', ')}`;
        return { candidate: { ...base, policy: better }, what: dealt ? `${dealt.what}; ${what}` : what };
      } finally {
        measurer.dispose();
      }
    },
  };
}
