// Binary: one number a sample is a threshold. A probability above a half, or a logit above 0, is class 1, else class 0.
import { InvalidArgumentError } from '../core/errors.js';
import { formatShape } from '../graph/dims.js';
import { GraphError } from '../graph/errors.js';
import type { Output } from '../graph/output.js';
import { type ClassTask, classNumbers, outside } from './classification.js';
import type { Classes, Leaders } from './task.js';

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** `probability`: outputs are p(class 1), else logits. */
function thresholdAt(threshold: number, probability: boolean): Classes {
  /** Derivative of −log p(class) by the output. */
  const slope = (output: number, one: boolean) =>
    probability ? (one ? -1 / output : 1 / (1 - output)) : sigmoid(output) - (one ? 1 : 0);
  const leaders = (outputs: Float32Array): Leaders => {
    const first = Int32Array.from(outputs, (value) => (value > threshold ? 1 : 0));
    const margins = Float64Array.from(outputs, (value) => Math.abs(value - threshold));
    return { first, second: first.map((one) => 1 - one), margins };
  };
  return {
    byLargest: false,
    of: (answers) => Int32Array.from(answers as ArrayLike<number>),
    leaders,
    margins: (outputs) => Float32Array.from(leaders(outputs).margins),
    marginsOf: (outputs, classes) =>
      Float64Array.from(outputs, (value, i) => (classes[i] === 1 ? value - threshold : threshold - value)),
    marginSlope({ first }, sample, sign, gradient) {
      gradient[sample] = first[sample] === 1 ? sign : -sign;
    },
    lossSlope: (outputs, _samples, rows, count) =>
      outputs.map((value, row) => (row < rows ? slope(value, value > threshold) / count : 0)),
  };
}

function thresholding(probability: boolean): ClassTask {
  const classes = thresholdAt(probability ? 0.5 : 0, probability);
  return {
    ...classNumbers,
    name: 'binary',
    help: 'one output, a threshold: a probability of .5 or a logit of 0',
    recognizes: (output) => {
      if (output.width !== 1) return undefined;
      const what = output.probability ? 'a probability, class 1 above 0.5' : 'a logit, class 1 above 0';
      return `output "${output.name}" is one number a sample, ${what}: judged as binary`;
    },
    for(output) {
      if (output.width !== undefined && output.width !== 1) {
        const received = formatShape(output.dims);
        throw new GraphError(
          `output "${output.name}"`,
          `expected one number a sample for --task binary, received ${received}`,
        );
      }
      return output.probability ? ofProbability : binaryTask;
    },
    doubt: (output: Output, labelled) =>
      probability || labelled
        ? undefined
        : `output "${output.name}" is one number a sample: a logit, or a value that has no threshold? --task binary says so`,
    answers(outputs, samples) {
      if (outputs.length !== samples) {
        throw new InvalidArgumentError('binary', 'outputs', `${samples} numbers`, String(outputs.length));
      }
      return classes.leaders(outputs, samples).first;
    },
    badLabel: (labels) => outside(labels, 2, 'labels 0 and 1'),
    /** Mean probability of the expected class. */
    support(outputs, expected) {
      const of = (value: number, one: boolean) => {
        const p = probability ? value : sigmoid(value);
        return one ? p : 1 - p;
      };
      return outputs.reduce((sum, value, i) => sum + of(value, expected[i] === 1), 0) / outputs.length;
    },
    classes,
  };
}

export const binaryTask = thresholding(false);
const ofProbability = thresholding(true);
