// Full-precision accuracy of a network on labelled samples: always float32, in order, without augmentation.

import { toRows } from '../autograd/ops/layout.js';
import { crossEntropy } from '../autograd/ops/loss.js';
import { Tape } from '../autograd/tape.js';
import { InvalidArgumentError } from '../core/errors.js';
import type { ImageSet, Normalization } from '../data/image_set.js';
import { Loader } from '../data/loader.js';
import type { Graph } from '../graph/graph.js';
import { Parameters } from '../graph/parameters.js';
import { keepPart } from '../run/parts.js';
import { float } from '../runtime/backends/float.js';
import { requireFinite } from '../runtime/finite.js';
import { compile } from '../runtime/program.js';
import { taskOf } from '../tasks/index.js';
import { type Answers, type Task, total as totalOf } from '../tasks/task.js';
import { Memory } from '../tensor/memory.js';
import { checkedInput, yieldToEvents } from './steps.js';

/** Accuracy of a network on labelled images. */
export interface Evaluation {
  readonly images: number;
  /** Sum of scores: how many are right, where an answer is right or wrong. */
  readonly correct: number;
  /** correct / images */
  readonly accuracy: number;
  /** Mean cross-entropy of a softmax; absent where the task has none. */
  readonly loss?: number;
}

/** Options of an evaluation. */
export interface EvaluateOptions {
  readonly batchSize?: number;
  /** Default: the task of the network's output. */
  readonly task?: Task | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called with progress. */
  readonly onProgress?: (done: number, total: number) => void;
}

const DEFAULT_BATCH = 500;

/** Inputs of the network and their labels. */
export interface EvaluationBatch {
  readonly count: number;
  readonly dims: readonly number[];
  readonly inputs: Float32Array;
  /** How `inputs` lie in memory, the channels of images last or all as `dims` say. */
  readonly layout: 'channelsLast' | 'rows';
  readonly labels: Answers;
}

/** Accuracy and loss. Throws InvalidArgumentError when the set has no labels or does not fit the network. */
export async function evaluate(
  graph: Graph,
  set: ImageSet,
  normalization: Normalization,
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  if (!set.labels) throw new InvalidArgumentError('evaluate', 'set', 'images with labels', 'images without');
  checkedInput('evaluate', graph, set);
  const { batchSize = DEFAULT_BATCH } = options;
  const { channels, height, width } = set;
  function* batches(): Generator<EvaluationBatch> {
    for (const { count, inputs, labels } of new Loader(set, { batchSize, normalization }).epoch(0)) {
      yield { count, dims: [count, channels, height, width], inputs, layout: 'channelsLast', labels };
    }
  }
  return evaluateBatches(graph, batches(), set.count, options);
}

/** The same of inputs from elsewhere, `total` in all. */
export async function evaluateBatches(
  graph: Graph,
  batches: Iterable<EvaluationBatch>,
  total: number,
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  const { signal, onProgress, task = taskOf(graph) } = options;
  const [input] = graph.inputs;
  const [output] = graph.outputs;
  if (!input || !output) throw new InvalidArgumentError('evaluate', 'graph', 'an input and an output', 'none');
  const program = compile(graph, float());
  const parameters = new Parameters(graph);
  const memory = new Memory();
  let [images, correct, loss] = [0, 0, 0];
  for (const batch of batches) {
    signal?.throwIfAborted();
    const found = await keepPart('batch', async () => {
      const tape = new Tape({ memory, training: false, record: false });
      const x = tape.constant(batch.inputs, batch.dims, batch.layout);
      const logits = program.run({ [input.name]: x }, { tape, parameters }).get(output.name);
      if (!logits) throw new InvalidArgumentError('evaluate', 'graph', 'an output', 'none');
      const rows = toRows(tape, logits);
      requireFinite(graph, rows.data, batch.count, x, images);
      if (!task.classes?.byLargest) {
        return { correct: totalOf(task.scores(task.answers(rows.data, batch.count), batch.labels)), loss: 0 };
      }
      const result = crossEntropy(tape, rows, task.classes.of(batch.labels));
      return { correct: result.correct, loss: result.loss };
    });
    images += batch.count;
    correct += found.correct;
    loss += found.loss * batch.count;
    memory.reset();
    onProgress?.(images, total);
    await yieldToEvents();
  }
  const accuracy = correct / images;
  return { images, correct, accuracy, ...(task.classes?.byLargest ? { loss: loss / images } : {}) };
}
