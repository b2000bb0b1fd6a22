// Static policies that complement each other: for every kind of input one under which the network fares worst (or best).
// A kind is full precision's first and second choice; labels are not looked at. Many policies are tried on few samples,
// the promising ones on more.
import type { Graph } from '../graph/graph.js';
import { type EvaluationData, PolicyEvaluator } from '../runtime/evaluate_policies.js';
import { Random } from '../tensor/random.js';
import { type Objective, reward } from './judge.js';
import { type Choices, classesOf, countOf, type Referenced, type RunnerOptions, sliceSamples } from './runner.js';
import type { ActivationSpace } from './space.js';

interface CandidateOptions extends RunnerOptions {
  readonly objective: Objective;
  /** How many to return at most. */
  readonly candidates: number;
  /** Policies tried at first: all of them where there are no more, else drawn at random, and neighbours of the best. */
  readonly pool: number;
  /** Samples that these are tried on. */
  readonly screened: number;
  /** Policies that are tried on more samples. */
  readonly finalists: number;
  /** Samples that those are tried on. */
  readonly compared: number;
  readonly seed: number;
}

export interface Candidates {
  /** Policies as option numbers, the most useful first: the first alone is the best static policy of the samples. */
  readonly candidates: Uint8Array[];
  /** What they were chosen from, best mean reward first. */
  readonly finalists: Uint8Array[];
}

/** Samples whose logits under all policies are held at a time. */
const TABLE_SAMPLES = 500;
/** Rounds in which neighbours of the best policies are tried, where the pool is drawn. */
const NEIGHBOUR_ROUNDS = 3;

/** Reward of each policy on each sample, [samples, policies], where the reference is what shall be lost or kept. */
export async function rewardTable(
  evaluator: PolicyEvaluator,
  space: ActivationSpace,
  policies: readonly Uint8Array[],
  data: Referenced,
  objective: Objective,
  options: RunnerOptions = {},
): Promise<Float32Array> {
  const [table] = await rewardTables(evaluator, space, policies, data, [data.reference], objective, options);
  return table as Float32Array;
}

/** One table for each reference: the logits are the same. */
export async function rewardTables(
  evaluator: PolicyEvaluator,
  space: ActivationSpace,
  policies: readonly Uint8Array[],
  data: EvaluationData,
  references: readonly ArrayLike<number>[],
  objective: Objective,
  { signal, onProgress }: RunnerOptions = {},
): Promise<Float32Array[]> {
  const [count, width] = [countOf(data), policies.length];
  const tables = references.map(() => new Float32Array(count * width));
  const decoded = policies.map((options) => space.decode(options));
  const { marginsOf } = classesOf(evaluator.graph, data);
  for (let start = 0; start < count; start += TABLE_SAMPLES) {
    const n = Math.min(TABLE_SAMPLES, count - start);
    const classes = references.map((reference) => Array.prototype.slice.call(reference, start, start + n) as number[]);
    const results = await evaluator.evaluate(decoded, sliceSamples(data, start, start + n), { logits: true, signal });
    results.forEach(({ logits }, policy) => {
      tables.forEach((table, r) => {
        const margins = Float32Array.from(marginsOf(logits as Float32Array, classes[r] as number[]));
        for (let i = 0; i < n; i++) table[(start + i) * width + policy] = reward(margins[i] as number, objective);
      });
    });
    onProgress?.((start + n) * width, count * width);
  }
  return tables;
}

/** Sums of a reward table over groups of samples, [group][policy]. */
function groupSums(table: Float32Array, width: number, groups: readonly number[]): Float64Array[] {
  const sums = new Map<number, Float64Array>();
  groups.forEach((group, i) => {
    let groupSums = sums.get(group);
    if (!groupSums) {
      groupSums = new Float64Array(width);
      sums.set(group, groupSums);
    }
    for (let p = 0; p < width; p++) (groupSums[p] as number) += table[i * width + p] as number;
  });
  return [...sums.values()];
}

/** Policies, one after the other, each adding most when every group takes its best: greedy, near the best of all sets. */
export function complementary(sums: readonly Float64Array[], width: number, count: number): number[] {
  const taken = sums.map(() => 0);
  const chosen: number[] = [];
  while (chosen.length < Math.min(count, width)) {
    let [best, most] = [-1, Number.NEGATIVE_INFINITY];
    for (let p = 0; p < width; p++) {
      if (chosen.includes(p)) continue;
      const total = sums.reduce((sum, group, g) => sum + Math.max(taken[g] as number, group[p] as number), 0);
      if (total > most) [best, most] = [p, total];
    }
    chosen.push(best);
    sums.forEach((group, g) => {
      taken[g] = Math.max(taken[g] as number, group[best] as number);
    });
  }
  return chosen;
}

/** Numbers of the policies by their reward over all groups, most first; equals in order. */
function byTotal(sums: readonly Float64Array[], width: number): number[] {
  const total = Array.from({ length: width }, (_, p) => sums.reduce((sum, group) => sum + (group[p] as number), 0));
  return total.map((_, p) => p).sort((a, b) => (total[b] as number) - (total[a] as number) || a - b);
}

/** Half of them complement each other, the others have the most reward by themselves. */
function promising(sums: readonly Float64Array[], width: number, count: number): number[] {
  const chosen = new Set(complementary(sums, width, Math.ceil(count / 2)));
  for (const p of byTotal(sums, width)) {
    if (chosen.size >= count) break;
    chosen.add(p);
  }
  return [...chosen];
}

/** The policy with the options of two nodes exchanged, where that stays in the budget. */
function neighbour(space: ActivationSpace, policy: Uint8Array, random: Random): Uint8Array | undefined {
  const changed = policy.slice();
  const [a, b] = [random.integer(policy.length), random.integer(policy.length)];
  [changed[a], changed[b]] = [policy[b] as number, policy[a] as number];
  let spent = 0;
  for (let node = 0; node < changed.length; node++) {
    const option = changed[node] as number;
    if (!((space.open(node, spent) >> option) & 1)) return undefined;
    spent += space.cost(node, option);
  }
  return changed;
}

/**
 * `data` must hold `compared` samples or more, with full precision's classes, and `full` belong to it. Deterministic from
 * the seed.
 */
export async function chooseCandidates(
  graph: Graph,
  space: ActivationSpace,
  data: Referenced,
  full: Choices,
  options: CandidateOptions,
): Promise<Candidates> {
  const { objective, pool, signal } = options;
  const random = new Random(options.seed).split('candidates');
  const evaluator = new PolicyEvaluator(graph);
  try {
    const screen = sliceSamples(data, 0, Math.min(options.screened, countOf(data))) as Referenced;
    const byClass = Array.from({ length: countOf(screen) }, (_, i) => full.classes[i] as number);
    const known = new Map<string, Uint8Array>();
    const exhaustive = space.count <= BigInt(pool);
    const add = (policy: Uint8Array) => known.set(policy.join(), policy);
    if (exhaustive) for (const policy of space.all()) add(policy);
    // Half of the pool is drawn; the rest are neighbours of the best found so far.
    else for (let i = 0; i < pool / 2; i++) add(space.sample(random));
    let policies = [...known.values()];
    let sums = groupSums(
      await rewardTable(evaluator, space, policies, screen, objective, { signal }),
      policies.length,
      byClass,
    );
    for (let round = 0; round < NEIGHBOUR_ROUNDS && !exhaustive; round++) {
      const best = promising(sums, policies.length, options.finalists / 2).map((p) => policies[p] as Uint8Array);
      const fresh: Uint8Array[] = [];
      const expected = pool / 2 / NEIGHBOUR_ROUNDS;
      for (let attempt = 0; attempt < expected * NEIGHBOUR_ROUNDS && fresh.length < expected; attempt++) {
        const next = neighbour(space, best[attempt % best.length] as Uint8Array, random);
        if (!next || known.has(next.join())) continue;
        add(next);
        fresh.push(next);
      }
      if (fresh.length === 0) break;
      const table = await rewardTable(evaluator, space, fresh, screen, objective, { signal });
      const more = groupSums(table, fresh.length, byClass);
      sums = sums.map((group, g) => Float64Array.from([...group, ...(more[g] as Float64Array)]));
      policies = [...policies, ...fresh];
    }
    const finalists = promising(sums, policies.length, options.finalists).map((p) => policies[p] as Uint8Array);
    const compare = sliceSamples(data, 0, Math.min(options.compared, countOf(data))) as Referenced;
    const table = await rewardTable(evaluator, space, finalists, compare, objective, { signal });
    const kinds = Array.from({ length: countOf(compare) }, (_, i) => kindOf(full, i));
    const compared = groupSums(table, finalists.length, kinds);
    // The first is the best static policy; those after it add to it.
    const ordered = byTotal(compared, finalists.length);
    const sorted = ordered.map((p) => finalists[p] as Uint8Array);
    const rows = compared.map((row) => Float64Array.from(ordered, (p) => row[p] as number));
    const chosen = complementary(rows, sorted.length, options.candidates);
    return { candidates: chosen.map((p) => sorted[p] as Uint8Array), finalists: sorted };
  } finally {
    evaluator.dispose();
  }
}

/** Full precision's first and second choice as one number. */
function kindOf({ classes, runnersUp }: Choices, sample: number): number {
  return (classes[sample] as number) * 2 ** 16 + (runnersUp[sample] as number);
}
