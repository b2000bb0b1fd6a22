// Classification: the largest output is the class, and the class that is expected is good.
import { InvalidArgumentError } from '../core/errors.js';
import { formatShape, UNKNOWN } from '../graph/dims.js';
import { shares } from './scoring.js';
import type { BadLabel, Classes, Leaders, Task } from './task.js';

/** Class of each sample. */
type ClassNumbers = ArrayLike<number>;

/** Place of the largest of `count` values from `start` on, counted from there; the first of equals. */
function indexOfLargest(values: ArrayLike<number>, start: number, count: number): number {
  let best = start;
  for (let i = start + 1; i < start + count; i++) if ((values[i] as number) > (values[best] as number)) best = i;
  return best - start;
}

/** The two largest outputs of each row of `logits`: what an indicator takes a gradient of. */
function leaders(logits: Float32Array, rows: number): Leaders {
  const classes = logits.length / rows;
  if (!(classes >= 2)) throw new InvalidArgumentError('classification', 'outputs', 'two or more classes', `${classes}`);
  const [first, second, margins] = [new Int32Array(rows), new Int32Array(rows), new Float64Array(rows)];
  for (let row = 0; row < rows; row++) {
    let [best, next] = [0, 1];
    const at = (k: number) => logits[row * classes + k] as number;
    if (at(1) > at(0)) [best, next] = [1, 0];
    for (let k = 2; k < classes; k++) {
      if (at(k) > at(best)) [best, next] = [k, best];
      else if (at(k) > at(next)) next = k;
    }
    first[row] = best;
    second[row] = next;
    margins[row] = at(best) - at(next);
  }
  return { first, second, margins };
}

const classes: Classes = {
  byLargest: true,
  of: (answers) => Int32Array.from(answers as ClassNumbers),
  leaders,
  margins: (outputs, samples) =>
    outputs.length > samples ? Float32Array.from(leaders(outputs, samples).margins) : new Float32Array(samples),
  marginsOf(outputs, classes) {
    const width = outputs.length / classes.length;
    return Float64Array.from({ length: classes.length }, (_, row) => {
      const start = row * width;
      let other = Number.NEGATIVE_INFINITY;
      for (let k = 0; k < width; k++) if (k !== classes[row]) other = Math.max(other, outputs[start + k] as number);
      return (outputs[start + (classes[row] as number)] as number) - other;
    });
  },
  marginSlope({ first, second }, sample, sign, gradient) {
    const start = (sample * gradient.length) / first.length;
    gradient[start + (first[sample] as number)] = sign;
    gradient[start + (second[sample] as number)] = -sign;
  },
  lossSlope(outputs, samples, rows, count) {
    const [classes, { first }] = [outputs.length / samples, leaders(outputs, samples)];
    const slope = new Float32Array(outputs.length);
    for (let row = 0; row < rows; row++) {
      const rowLogits = outputs.subarray(row * classes, (row + 1) * classes);
      const most = rowLogits[first[row] as number] as number;
      const powers = Float64Array.from(rowLogits, (z) => Math.exp(z - most));
      const sum = powers.reduce((all, power) => all + power, 0);
      powers.forEach((power, k) => {
        slope[row * classes + k] = (power / sum - (k === first[row] ? 1 : 0)) / count;
      });
    }
    return slope;
  },
};

/** The first label that is no class. */
export function outside(
  labels: ClassNumbers,
  classes = Number.POSITIVE_INFINITY,
  expected: string,
): BadLabel | undefined {
  const sample = Array.from(labels).findIndex((label) => label < 0 || label >= classes);
  return sample < 0 ? undefined : { sample, expected };
}

/** What tasks share whose answers are classes in numbers. */
export const classNumbers = {
  ...shares,
  measures: { accuracy: 'accuracy', agreement: 'agreement' },
  keeps: 'keep their class',
  take: (answers: ClassNumbers, samples: ArrayLike<number>) => Int32Array.from(samples, (i) => answers[i] as number),
  join(parts: readonly ClassNumbers[]) {
    const all = new Int32Array(parts.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  },
  print: (answers: ClassNumbers, sample: number) => answers[sample] as number,
  scores(answers: ClassNumbers, expected: ClassNumbers) {
    const found = new Uint8Array(answers.length);
    for (let i = 0; i < found.length; i++) found[i] = answers[i] === expected[i] ? 1 : 0;
    return found;
  },
} as const;

/** Answers in classes of which each sample has one. */
export interface ClassTask extends Task<ClassNumbers> {
  answers(outputs: Float32Array, samples: number): Int32Array;
  readonly classes: Classes;
}

export const classification: ClassTask = {
  ...classNumbers,
  name: 'classification',
  help: 'one output a class, the largest wins',
  doubt({ name, dims }) {
    if (dims.slice(1).filter((dim) => dim !== 1 && dim !== UNKNOWN).length < 2) return undefined;
    return `output "${name}" is ${formatShape(dims)}, no logits: the largest of all its values is taken for the class`;
  },
  answers(outputs, samples) {
    const classes = outputs.length / samples;
    if (!Number.isInteger(classes)) {
      throw new InvalidArgumentError('classification', 'outputs', `${samples} rows`, `${outputs.length} numbers`);
    }
    const found = new Int32Array(samples);
    for (let row = 0; row < samples; row++) found[row] = indexOfLargest(outputs, row * classes, classes);
    return found;
  },
  badLabel: (labels, width) =>
    outside(labels, width, width === undefined ? 'labels ≥ 0' : `labels from 0 to ${width - 1}, the network's classes`),
  /** Mean softmax probability of the expected class. */
  support(logits, expected) {
    const samples = expected.length;
    const classes = logits.length / samples;
    let sum = 0;
    for (let sample = 0; sample < samples; sample++) {
      const at = sample * classes;
      let largest = Number.NEGATIVE_INFINITY;
      for (let i = 0; i < classes; i++) largest = Math.max(largest, logits[at + i] as number);
      let all = 0;
      for (let i = 0; i < classes; i++) all += Math.exp((logits[at + i] as number) - largest);
      sum += Math.exp((logits[at + (expected[sample] as number)] as number) - largest) / all;
    }
    return sum / samples;
  },
  classes,
};
