// Errors summed over corruptions and levels, image by image, for figures over all of them with intervals that know that
// every condition shows the same images.
//
// mCE and relative mCE: Hendrycks & Dietterich (ICLR 2019), section 4.2: for each corruption the errors over all
// severities divided by the baseline's, then the mean over corruptions; relative, with the errors on clean images taken
// off both. Intervals of means are normal, of ratios by the delta method, over images.
import { type CorruptionName, corruptionInfo } from '../../data/corruptions.js';
import { type Interval, normalHalfWidth } from '../../statistics/shares.js';
import { mean, variance } from '../../statistics/summary.js';
import { type SampleScores, total } from '../../tasks/task.js';

/** A mean with its interval. */
export interface MeanEstimate {
  readonly value: number;
  readonly interval: Interval;
}

/** One policy over all corruptions and levels that were run, shares. */
export interface RobustnessSummary {
  readonly policy: string;
  readonly cleanAccuracy: number;
  readonly meanAccuracy: MeanEstimate;
  /** What quantization adds, on the mean: accuracy in full precision less this one under the same corruption. */
  readonly meanDrop: MeanEstimate;
  /** The largest drop of one condition. */
  readonly worstDrop: number;
  /** Mean corruption error, 1 where it equals the baseline's. Undefined where the baseline makes no error. */
  readonly mCE: MeanEstimate | undefined;
  /** The same of errors beyond those on clean images. Undefined where the baseline loses nothing under corruption. */
  readonly relativeMCE: MeanEstimate | undefined;
  /** The corruptions in both: of the benchmark's fifteen where any was run, else all. */
  readonly corruptions: readonly CorruptionName[];
}

/** Errors of one policy by image. */
interface Tally {
  readonly clean: Float64Array;
  /** Wrong levels of each corruption. */
  readonly byCorruption: Map<CorruptionName, Float64Array>;
  worstDrop: number;
}

export class CorruptionErrors {
  private readonly tallies: readonly Tally[];
  private readonly levels = new Map<CorruptionName, number>();

  /** The first of `names` is full precision. */
  constructor(
    private readonly names: readonly string[],
    private readonly images: number,
  ) {
    this.tallies = names.map(() => ({
      clean: new Float64Array(images),
      byCorruption: new Map(),
      worstDrop: Number.NEGATIVE_INFINITY,
    }));
  }

  /** SampleScores of each policy under one condition: right[policy][image]. Without a corruption: clean images. */
  add(corruption: CorruptionName | undefined, right: readonly SampleScores[]): void {
    if (corruption) this.levels.set(corruption, (this.levels.get(corruption) ?? 0) + 1);
    const [fp = new Uint8Array(0)] = right;
    right.forEach((rights, policy) => {
      const tally = this.tallies[policy] as Tally;
      const errors = corruption ? this.errorsOf(tally, corruption) : tally.clean;
      for (let i = 0; i < this.images; i++) (errors[i] as number) += 1 - (rights[i] as number);
      if (corruption) tally.worstDrop = Math.max(tally.worstDrop, (total(fp) - total(rights)) / this.images);
    });
  }

  private errorsOf(tally: Tally, corruption: CorruptionName): Float64Array {
    let errors = tally.byCorruption.get(corruption);
    if (!errors) {
      errors = new Float64Array(this.images);
      tally.byCorruption.set(corruption, errors);
    }
    return errors;
  }

  /** One for each policy, `baseline` among their names. */
  summaries(baseline: string, confidence: number): RobustnessSummary[] {
    const conditions = [...this.levels.values()].reduce((sum, count) => sum + count, 0);
    const benchmark = [...this.levels.keys()].filter((name) => corruptionInfo(name).benchmark);
    const corruptions = benchmark.length > 0 ? benchmark : [...this.levels.keys()];
    const base = this.tallies[this.names.indexOf(baseline)] as Tally;
    const shares = this.tallies.map((tally) => {
      const share = new Float64Array(this.images);
      for (const errors of tally.byCorruption.values())
        errors.forEach((count, i) => {
          (share[i] as number) += count / conditions;
        });
      return share;
    });
    const [fp = new Float64Array(0)] = shares;
    return this.names.map((policy, index): RobustnessSummary => {
      const [tally, share] = [this.tallies[index] as Tally, shares[index] as Float64Array];
      return {
        policy,
        cleanAccuracy: 1 - mean([...tally.clean]),
        meanAccuracy: estimate(
          share.map((value) => 1 - value),
          confidence,
        ),
        meanDrop: estimate(
          share.map((value, i) => value - (fp[i] as number)),
          confidence,
        ),
        worstDrop: tally.worstDrop,
        mCE: this.ratio(tally, base, corruptions, 0, confidence),
        relativeMCE: this.ratio(tally, base, corruptions, 1, confidence),
        corruptions,
      };
    });
  }

  /** The mean over corruptions of errors(tally) / errors(base), `cleanShare` times those on clean images taken off. */
  private ratio(
    tally: Tally,
    base: Tally,
    corruptions: readonly CorruptionName[],
    cleanShare: number,
    confidence: number,
  ): MeanEstimate | undefined {
    // Each image's influence on the mean of ratios: (a − R b) / mean(b), the first order of the delta method.
    const influence = new Float64Array(this.images);
    let sum = 0;
    for (const corruption of corruptions) {
      const off = cleanShare * (this.levels.get(corruption) ?? 0);
      const errors = (tally: Tally) =>
        this.errorsOf(tally, corruption).map((count, i) => count - off * (tally.clean[i] as number));
      const [a, b] = [errors(tally), errors(base)];
      const [meanA, meanB] = [mean([...a]), mean([...b])];
      if (!(meanB > 0)) return undefined;
      sum += meanA / meanB;
      for (let i = 0; i < this.images; i++) {
        const one = ((a[i] as number) - (meanA / meanB) * (b[i] as number)) / meanB;
        (influence[i] as number) += one / corruptions.length;
      }
    }
    const half = halfWidth(influence, confidence);
    const value = sum / corruptions.length;
    return { value, interval: [value - half, value + half] };
  }
}

/** Of a mean over independent images. */
function halfWidth(values: Float64Array, confidence: number): number {
  return values.length > 1 ? normalHalfWidth(confidence) * Math.sqrt(variance([...values]) / values.length) : 0;
}

function estimate(values: Float64Array, confidence: number): MeanEstimate {
  const value = mean([...values]);
  const half = halfWidth(values, confidence);
  return { value, interval: [value - half, value + half] };
}
