// The accuracy of every policy of a budget, or of a sample where there are too many: what agents are measured against.
import type { Policy } from '../policy/policy.js';
import type { Landscape } from '../report/schema.js';
import type { Judge } from '../search/judge.js';
import { histogram } from '../statistics/histogram.js';
import { Random } from '../tensor/random.js';

/** Budgets of more policies are drawn from, this many. */
const MOST_ENUMERATED = 4096;
const BINS = 25;
const PERCENT = 100;

interface LandscapeOptions {
  readonly name: string;
  readonly budget: number;
  /** Marked in the histogram. */
  readonly learned: Policy;
  readonly signal?: AbortSignal | undefined;
}

interface MeasuredLandscape {
  readonly landscape: Landscape;
  /** Accuracy of the worst policy seen, a share. */
  readonly least: number;
  /** Accuracies of all but the learned policy, shares. */
  readonly others: readonly number[];
}

export async function landscapeOf(judge: Judge, options: LandscapeOptions): Promise<MeasuredLandscape> {
  const { name, budget, learned, signal } = options;
  const { space } = judge;
  const exhaustive = space.count <= BigInt(MOST_ENUMERATED);
  const random = new Random(0).split('landscape');
  const policies = exhaustive
    ? [...space.policies()]
    : Array.from({ length: MOST_ENUMERATED }, () => space.sample(random));
  const values = (await judge.score(policies, signal)).map(({ value }) => value);
  const [mark] = await judge.score([learned], signal);
  const least = Math.min(...values);
  const landscape: Landscape = {
    name,
    budget,
    policies: policies.length,
    exhaustive,
    bins: histogram(
      values.map((value) => PERCENT * value),
      BINS,
      [0, PERCENT],
    ),
    marks: [{ x: PERCENT * (mark?.value as number), label: 'learned' }],
  };
  return { landscape, least, others: without(values, mark?.value) };
}

/** But for one that is equal. */
function without(values: readonly number[], value: number | undefined): number[] {
  const at = value === undefined ? -1 : values.indexOf(value);
  return values.filter((_, i) => i !== at);
}
