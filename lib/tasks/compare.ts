// Answers of two networks to the same samples: what differs, and by how much scores fall.
import { InvalidArgumentError } from '../core/errors.js';
import { DEFAULT_CONFIDENCE, type Interval } from '../statistics/shares.js';
import { type Answers, type ClassComparison, type SampleScores, type Task, total } from './task.js';

/** A sample to which quantization changed the answer. */
interface Flip {
  readonly sample: number;
  /** Undefined without labels. */
  readonly label: string | number | undefined;
  readonly before: string | number;
  readonly after: string | number;
}

/** Means of scores against labels, 0–1; intervals at `confidence`. */
interface AccuracyComparison {
  readonly fullPrecision: number;
  readonly fullPrecisionInterval: Interval;
  readonly quantized: number;
  readonly quantizedInterval: Interval;
  /** fullPrecision − quantized, its interval and p-value of paired samples. */
  readonly drop: number;
  readonly dropInterval: Interval;
  readonly pValue: number;
}

/** Answers of two networks to the same samples. */
export interface Comparison {
  readonly samples: number;
  /** Mean score against full precision, 0–1. */
  readonly agreement: number;
  readonly agreementInterval: Interval;
  /** Samples whose answer is not wholly that of full precision. */
  readonly flips: readonly Flip[];
  /** Undefined without labels, as is what follows. */
  readonly accuracy: AccuracyComparison | undefined;
  /** Flips whose score falls, and rises. */
  readonly newlyWrong: number | undefined;
  readonly newlyRight: number | undefined;
  /** By label, those without samples left out; undefined where answers are no classes. */
  readonly classes: readonly ClassComparison[] | undefined;
}

/** Labels and confidence of a comparison. */
interface ComparisonOptions {
  readonly labels?: Answers | undefined;
  /** Of the intervals. Default .95. */
  readonly confidence?: number | undefined;
}

/** Everything that differs between two networks' answers. Throws InvalidArgumentError on lengths that differ. */
export function compare(
  task: Task,
  fullPrecision: Answers,
  quantized: Answers,
  { labels, confidence = DEFAULT_CONFIDENCE }: ComparisonOptions = {},
): Comparison {
  const samples = fullPrecision.length;
  for (const [name, values] of Object.entries({ quantized, labels })) {
    if (values && values.length !== samples) {
      throw new InvalidArgumentError('compare', name, `${samples} answers`, String(values.length));
    }
  }
  const kept = task.scores(quantized, fullPrecision);
  const [before, after] = [fullPrecision, quantized].map((answers) => labels && task.scores(answers, labels));
  const flips = Array.from(kept.keys()).filter((sample) => (kept[sample] as number) < 1);
  const moved = (sample: number) => (after?.[sample] as number) - (before?.[sample] as number);
  return {
    samples,
    agreement: total(kept) / samples,
    agreementInterval: task.interval(kept, confidence),
    flips: flips.map((sample) => ({
      sample,
      label: labels && task.print(labels, sample),
      before: task.print(fullPrecision, sample),
      after: task.print(quantized, sample),
    })),
    accuracy: before && after && accuracyOf(task, before, after, confidence),
    newlyWrong: labels && flips.filter((sample) => moved(sample) < 0).length,
    newlyRight: labels && flips.filter((sample) => moved(sample) > 0).length,
    classes: before && after && task.classes && byClass(task.classes.of(labels as Answers), before, after),
  };
}

function accuracyOf(task: Task, before: SampleScores, after: SampleScores, confidence: number): AccuracyComparison {
  const { difference, interval, pValue } = task.difference(before, after, confidence);
  return {
    fullPrecision: total(before) / before.length,
    fullPrecisionInterval: task.interval(before, confidence),
    quantized: total(after) / after.length,
    quantizedInterval: task.interval(after, confidence),
    drop: difference,
    dropInterval: interval,
    pValue,
  };
}

function byClass(labels: Int32Array, before: SampleScores, after: SampleScores): ClassComparison[] {
  const classes = new Map<number, { samples: number; fullPrecision: number; quantized: number }>();
  labels.forEach((label, sample) => {
    const sums = classes.get(label) ?? { samples: 0, fullPrecision: 0, quantized: 0 };
    sums.samples += 1;
    sums.fullPrecision += before[sample] as number;
    sums.quantized += after[sample] as number;
    classes.set(label, sums);
  });
  return [...classes].sort(([a], [b]) => a - b).map(([label, sums]) => ({ label, ...sums }));
}
