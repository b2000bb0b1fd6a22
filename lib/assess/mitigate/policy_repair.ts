// Policy repair: bits added where they pay most. One bit at a time, to the weights or the activation of one node: of all
// such steps the one that wins most agreement is taken, until the bits allowed are spent or no step wins anything. What it
// costs is bits, which is why it comes after cures that cost none.
import { effectiveBits, MOST_BITS, type NodeBits, type Policy } from '../../quant/policy.js';
import { type MeasureOptions, Measurer } from '../measure.js';
import type { Samples } from '../samples.js';
import { type Cure, staticPolicy } from './cure.js';

export interface Raise {
  readonly node: string;
  readonly bits: NodeBits;
  /** Points of agreement won. */
  readonly gain: number;
}

export interface RepairedPolicy {
  readonly policy: Policy;
  readonly raises: readonly Raise[];
}

/** Agreement to a third of a point: a step is judged by differences, and there are many to judge. */
const IMAGES = 500;

function raised(policy: Policy, node: string, bits: NodeBits): Policy {
  return { ...policy, bits: new Map([...policy.bits, [node, bits]]) };
}

/** Every policy with one bit more in one place; both kinds at once too, since either alone may win nothing. */
function steps(policy: Policy, halves: number): { readonly node: string; readonly bits: NodeBits; cost: number }[] {
  return [...policy.bits].flatMap(([node, { weightBits, activationBits }]) =>
    (
      [
        [1, 0],
        [0, 1],
        [1, 1],
      ] as const
    )
      .map(([w, a]) => ({ weightBits: weightBits + w, activationBits: activationBits + a, cost: w + a }))
      .filter((bits) => bits.weightBits <= MOST_BITS && bits.activationBits <= MOST_BITS && bits.cost <= halves)
      .map(({ cost, ...bits }) => ({ node, bits, cost })),
  );
}

/**
 * Raises bits of `policy` by at most `more` effective bits (the mean over nodes of weight and activation bits), most gain
 * in agreement with `classes` per bit first.
 */
export async function repairPolicy(
  measurer: Measurer,
  samples: Samples,
  classes: Int32Array,
  policy: Policy,
  more: number,
  options: MeasureOptions = {},
): Promise<RepairedPolicy> {
  const agreement = (own: Int32Array) => own.reduce((sum, value, i) => sum + (value === classes[i] ? 1 : 0), 0);
  // Two halves, weights and activation, of each node make a bit of the mean.
  const budget = Math.floor(2 * more * policy.bits.size);
  let halves = budget;
  let current = policy;
  const [outcome] = await measurer.run(samples, [policy], options);
  let right = agreement((outcome as { classes: Int32Array }).classes);
  const raises: Raise[] = [];
  while (halves > 0 && right < samples.count) {
    const tried = steps(current, halves);
    if (tried.length === 0) break;
    const outcomes = await measurer.run(
      samples,
      tried.map(({ node, bits }) => raised(current, node, bits)),
      { ...options, onProgress: undefined },
    );
    const gains = outcomes.map(({ classes: own }, i) => (agreement(own) - right) / (tried[i] as { cost: number }).cost);
    const best = gains.reduce((most, gain, i) => (gain > (gains[most] as number) ? i : most), 0);
    if (!((gains[best] as number) > 0)) break;
    const { node, bits, cost } = tried[best] as { node: string; bits: NodeBits; cost: number };
    const won = (gains[best] as number) * cost;
    current = raised(current, node, bits);
    right += won;
    halves -= cost;
    raises.push({ node, bits, gain: (100 * won) / samples.count });
    options.onProgress?.(budget - halves, budget);
  }
  return { policy: current, raises };
}

export function policyRepair(more: number): Cure {
  return {
    name: 'policy repair',
    scene: 'clean',
    async apply(candidate, { samples, classes }, { signal, onProgress }) {
      const policy = staticPolicy(candidate);
      if (!policy) return { reason: 'an agent chooses the bits of each input' };
      if (!(more > 0)) return { reason: 'no further bits are allowed' };
      const few = Int32Array.from({ length: Math.min(IMAGES, samples.count) }, (_, i) => i);
      const measurer = new Measurer(candidate.graph);
      try {
        const part = samples.take(few);
        const { policy: better, raises } = await repairPolicy(
          measurer,
          part,
          classes.subarray(0, few.length),
          policy,
          more,
          { signal, onProgress },
        );
        if (raises.length === 0) return { reason: 'no single bit more, anywhere, wins anything' };
        const nodes = new Set(raises.map(({ node }) => node));
        const [before, after] = [policy, better].map((each) => effectiveBits(candidate.graph, each).toFixed(2));
        const what = `${before} → ${after} effective bits, more for ${[...nodes].join(', ')}`;
        return { candidate: { ...candidate, policy: better }, what };
      } finally {
        measurer.dispose();
      }
    },
  };
}
