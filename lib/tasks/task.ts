// What a good answer is. A task reads answers from a network's outputs, scores each sample, aggregates scores to a
// figure, and compares two figures of the same samples. All code that counts good answers uses a task.
import type { PairedDifference } from '../statistics/paired.js';
import type { Interval } from '../statistics/shares.js';

/** Name of the share of good answers: against labels, or against full precision without labels. */
export type Measure = 'accuracy' | 'agreement';

/** Answers of a network. */
export interface Answers {
  /** Answer to each sample: its class. */
  readonly classes: Int32Array;
  /** How far each answer is from another one: the largest output less the second largest. */
  readonly margins: Float32Array;
}

/** A sample to which quantization changed the answer. */
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
  /** fullPrecision − quantized, its interval and p-value of paired samples. */
  readonly drop: number;
  readonly dropInterval: Interval;
  readonly pValue: number;
}

/** The samples of one label, and how many of them are good in full precision and quantized. */
export interface ClassComparison {
  readonly label: number;
  readonly samples: number;
  readonly fullPrecision: number;
  readonly quantized: number;
}

/** Answers of two networks to the same samples. */
export interface Comparison {
  readonly samples: number;
  /** Share of the samples with the same answer, 0–1. */
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

/** Labels and confidence of a comparison. */
export interface ComparisonOptions {
  readonly labels?: ArrayLike<number> | undefined;
  /** Of the intervals. Default .95. */
  readonly confidence?: number | undefined;
}

/**
 * `expected` is the label of each sample or, without labels, the answer of full precision: then a score is an agreement.
 * Scores are 1 for a good answer and 0 for a bad one.
 */
export interface Task {
  readonly name: string;
  /** The unit that gets a score. */
  readonly unit: string;
  /** Names of the aggregated score, with labels and without. */
  readonly measures: { readonly labelled: Measure; readonly unlabelled: Measure };
  /** Answer to each sample. outputs: [samples, width] f32. */
  answers(outputs: Float32Array, samples: number): Int32Array;
  /** The same with margins. */
  read(outputs: Float32Array, samples: number): Answers;
  /** One score a sample. */
  scores(answers: ArrayLike<number>, expected: ArrayLike<number>): Uint8Array;
  /** How many scores are 1. */
  good(answers: ArrayLike<number>, expected: ArrayLike<number>): number;
  /** Scores aggregated to a figure: percent that are 1. */
  percent(answers: ArrayLike<number>, expected: ArrayLike<number>): number;
  /** Mean confidence of the network in the expected answer, 0–1: it changes where no score does. */
  support(outputs: Float32Array, expected: ArrayLike<number>): number;
  /** Aggregated scores of the first less those of the second on the same samples, with interval and test. */
  difference(first: ArrayLike<number>, second: ArrayLike<number>, confidence?: number): PairedDifference;
  /** Everything that differs between two networks' answers. Throws InvalidArgumentError on lengths that differ. */
  compare(fullPrecision: ArrayLike<number>, quantized: ArrayLike<number>, options?: ComparisonOptions): Comparison;
}
