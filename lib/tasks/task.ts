// What a good answer is. A task reads answers from a network's outputs, scores each sample, aggregates scores to a
// figure, and compares two figures of the same samples. All code that counts good answers uses a task; what an answer is
// made of is the task's.
import type { Output } from '../graph/output.js';
import type { PairedDifference } from '../statistics/paired.js';
import type { Interval } from '../statistics/shares.js';

/** What scores are against: labels (`accuracy`), or the answers of full precision (`agreement`). */
export type Measure = 'accuracy' | 'agreement';

/** Answers to samples, of a network or of those who labelled them. Their form is the task's. */
export interface Answers {
  /** One a sample. */
  readonly length: number;
}

/** One a sample, from 0 (bad) to 1 (good). */
export type SampleScores = Uint8Array | Float32Array;

/** A label that the task cannot take. */
export interface BadLabel {
  readonly sample: number;
  readonly expected: string;
}

/** The samples of one label, and the sums of their scores in full precision and quantized. */
export interface ClassComparison {
  readonly label: number;
  readonly samples: number;
  readonly fullPrecision: number;
  readonly quantized: number;
}

/** The two largest outputs of each row, and the first less the second in float64. */
export interface Leaders {
  readonly first: Int32Array;
  readonly second: Int32Array;
  readonly margins: Float64Array;
}

/** What can be asked where answers are classes, in numbers from 0. */
export interface Classes {
  /**
   * Whether each class has an output, of which the largest wins: right answers are then counted natively, and networks
   * learn by the cross-entropy of a softmax.
   */
  readonly byLargest: boolean;
  of(answers: Answers): Int32Array;
  leaders(outputs: Float32Array, samples: number): Leaders;
  /** How far each answer is from another one. */
  margins(outputs: Float32Array, samples: number): Float32Array;
  /** How far these classes are above the best other one; negative where a class is lost. */
  marginsOf(outputs: Float32Array, classes: ArrayLike<number>): Float64Array;
  /** Adds `sign` times the gradient of a sample's margin to `gradient`. */
  marginSlope(leaders: Leaders, sample: number, sign: number, gradient: Float32Array): void;
  /** Gradient of the first `rows` samples' part of the mean cross-entropy of `count`, against the classes of the outputs. */
  lossSlope(outputs: Float32Array, samples: number, rows: number, count: number): Float32Array;
}

/**
 * `expected` are the answers that labels say or, without labels, those of full precision: then a score is an agreement.
 * A task spreads `shares` where its scores are 0 or 1, or `graded` where they lie between.
 */
export interface Task<A extends Answers = Answers> {
  readonly name: string;
  /** Which networks it is for, in a few words. */
  readonly help: string;
  /** What a score is called, against labels and against full precision. */
  readonly measures: Readonly<Record<Measure, string>>;
  /** What samples do that lose nothing: `keep their class`. */
  readonly keeps: string;
  /** Why it is this task, in a sentence, where the output leaves no doubt; absent: it is chosen by name alone. */
  recognizes?(output: Output): string | undefined;
  /** The task for an output, where it depends on it. Throws GraphError where it is none. */
  for?(output: Output): Task<A>;
  /** Why an output may be something else; undefined where nothing speaks against it. */
  doubt(output: Output, labelled: boolean): string | undefined;
  /** outputs: [samples, width] f32. Throws InvalidArgumentError when they are not what it reads. */
  answers(outputs: Float32Array, samples: number): A;
  /** Those of these samples. */
  take(answers: A, samples: ArrayLike<number>): A;
  /** One after the other. */
  join(parts: readonly A[]): A;
  /** An answer as reports have it. */
  print(answers: A, sample: number): string | number;
  /** The first label that is no answer to an output of `width` numbers, where that is known. */
  badLabel(labels: A, width: number | undefined): BadLabel | undefined;
  /** How good each answer is. */
  scores(answers: A, expected: A): SampleScores;
  /** Mean confidence of the network in the expected answers, 0–1: it changes where no score does. */
  support(outputs: Float32Array, expected: A): number;
  /** Of the mean of scores. */
  interval(scores: SampleScores, confidence?: number): Interval;
  /** Mean of the first scores less that of the second, on the same samples, with interval and test. */
  difference(first: SampleScores, second: SampleScores, confidence?: number): PairedDifference;
  /** Absent where answers are no classes. */
  readonly classes?: Classes;
}

/** The sum of scores: how many are good, where they are 0 or 1. */
export function total(scores: SampleScores): number {
  let sum = 0;
  for (let i = 0; i < scores.length; i++) sum += scores[i] as number;
  return sum;
}

/** The mean of the scores as percent. */
export function percentScore(task: Task, answers: Answers, expected: Answers): number {
  const scores = task.scores(answers, expected);
  return (100 * total(scores)) / scores.length;
}
