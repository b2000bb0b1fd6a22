// What quantization changed: the classes that one network says in full precision and quantized, sample by sample.
import { InvalidArgumentError } from '../../core/errors.js';
import { pairedCounts, pairedDifference } from '../../statistics/paired.js';
import { DEFAULT_CONFIDENCE, type Interval, wilsonInterval } from '../../statistics/shares.js';

/** A sample whose class quantization changed. */
export interface Flip {
  readonly sample: number;
  /** Its label; undefined without labels. */
  readonly label: number | undefined;
  readonly before: number;
  readonly after: number;
}

/** Shares, 0–1; intervals at `confidence`. */
export interface AccuracyComparison {
  readonly fullPrecision: number;
  readonly fullPrecisionInterval: Interval;
  readonly quantized: number;
  readonly quantizedInterval: Interval;
  /** fullPrecision − quantized, its interval of paired samples (Newcombe), and McNemar's exact p-value. */
  readonly drop: number;
  readonly dropInterval: Interval;
  readonly pValue: number;
}

export interface ClassComparison {
  readonly label: number;
  readonly samples: number;
  /** Right in full precision and quantized. */
  readonly fullPrecision: number;
  readonly quantized: number;
}

export interface Comparison {
  readonly samples: number;
  /** Share of the samples that keep their class, 0–1. */
  readonly agreement: number;
  readonly agreementInterval: Interval;
  readonly flips: readonly Flip[];
  /** Undefined without labels, as is what follows. */
  readonly accuracy: AccuracyComparison | undefined;
  /** Flips to and from the label. */
  readonly newlyWrong: number | undefined;
  readonly newlyRight: number | undefined;
  /** By label, those without samples left out. */
  readonly classes: readonly ClassComparison[] | undefined;
}

export interface ComparisonOptions {
  readonly labels?: ArrayLike<number> | undefined;
  /** Of the intervals. Default .95. */
  readonly confidence?: number | undefined;
}

/** Classes in full precision against classes quantized, one a sample. Throws InvalidArgumentError on lengths that differ. */
export function compareClasses(
  fullPrecision: ArrayLike<number>,
  quantized: ArrayLike<number>,
  options: ComparisonOptions = {},
): Comparison {
  const { labels, confidence = DEFAULT_CONFIDENCE } = options;
  const samples = fullPrecision.length;
  for (const [name, values] of Object.entries({ quantized, labels })) {
    if (values && values.length !== samples) {
      throw new InvalidArgumentError('compareClasses', name, `${samples} classes`, String(values.length));
    }
  }
  const flips: Flip[] = [];
  for (let sample = 0; sample < samples; sample++) {
    const [before, after] = [fullPrecision[sample] as number, quantized[sample] as number];
    if (before !== after) flips.push({ sample, label: labels?.[sample], before, after });
  }
  const kept = samples - flips.length;
  return {
    samples,
    agreement: kept / samples,
    agreementInterval: wilsonInterval(kept, samples, confidence),
    flips,
    accuracy: labels && accuracyOf(fullPrecision, quantized, labels, confidence),
    newlyWrong: labels && flips.filter(({ label, before }) => label === before).length,
    newlyRight: labels && flips.filter(({ label, after }) => label === after).length,
    classes: labels && byClass(fullPrecision, quantized, labels),
  };
}

function accuracyOf(
  fullPrecision: ArrayLike<number>,
  quantized: ArrayLike<number>,
  labels: ArrayLike<number>,
  confidence: number,
): AccuracyComparison {
  const right = (classes: ArrayLike<number>) => Array.from(classes, (value, sample) => value === labels[sample]);
  const counts = pairedCounts(right(fullPrecision), right(quantized));
  const { difference, interval, pValue } = pairedDifference(counts, confidence);
  const [first, second] = [counts.both + counts.onlyFirst, counts.both + counts.onlySecond];
  const samples = labels.length;
  return {
    fullPrecision: first / samples,
    fullPrecisionInterval: wilsonInterval(first, samples, confidence),
    quantized: second / samples,
    quantizedInterval: wilsonInterval(second, samples, confidence),
    drop: difference,
    dropInterval: interval,
    pValue,
  };
}

function byClass(
  fullPrecision: ArrayLike<number>,
  quantized: ArrayLike<number>,
  labels: ArrayLike<number>,
): ClassComparison[] {
  const classes = new Map<number, { samples: number; fullPrecision: number; quantized: number }>();
  for (let sample = 0; sample < labels.length; sample++) {
    const label = labels[sample] as number;
    const sums = classes.get(label) ?? { samples: 0, fullPrecision: 0, quantized: 0 };
    sums.samples += 1;
    if (fullPrecision[sample] === label) sums.fullPrecision += 1;
    if (quantized[sample] === label) sums.quantized += 1;
    classes.set(label, sums);
  }
  return [...classes].sort(([a], [b]) => a - b).map(([label, sums]) => ({ label, ...sums }));
}
