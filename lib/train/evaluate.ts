// Full-precision accuracy of a network on a set of images: always float32, in order, without augmentation.

import { toRows } from '../autograd/ops/layout.js';
import { crossEntropy } from '../autograd/ops/loss.js';
import { Tape } from '../autograd/tape.js';
import type { ImageSet, Normalization } from '../data/image_set.js';
import { Loader } from '../data/loader.js';
import { FloatProgram } from '../graph/float.js';
import type { Graph } from '../graph/graph.js';
import { Parameters } from '../graph/parameters.js';
import { InvalidArgumentError } from '../native/errors.js';
import { Memory } from '../tensor/memory.js';
import { checkedInput, yieldToEvents } from './steps.js';

/** Accuracy of a network on labelled images. */
export interface Evaluation {
  readonly images: number;
  readonly correct: number;
  /** correct / images */
  readonly accuracy: number;
  /** Mean cross-entropy. */
  readonly loss: number;
}

/** How images are run. */
export interface EvaluateOptions {
  readonly batchSize?: number;
  readonly signal?: AbortSignal | undefined;
  /** Sees how far it is. */
  readonly onProgress?: (done: number, total: number) => void;
}

const DEFAULT_BATCH = 500;

/** Accuracy and loss. Throws InvalidArgumentError when the set has no labels or does not fit the network. */
export async function evaluate(
  graph: Graph,
  set: ImageSet,
  normalization: Normalization,
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  if (!set.labels) throw new InvalidArgumentError('evaluate', 'set', 'images with labels', 'images without');
  const { input, output } = checkedInput('evaluate', graph, set);
  const { batchSize = DEFAULT_BATCH, signal, onProgress } = options;
  const program = new FloatProgram(graph);
  const parameters = new Parameters(graph);
  const memory = new Memory();
  const loader = new Loader(set, { batchSize, normalization });
  let [images, correct, loss] = [0, 0, 0];
  for (const batch of loader.epoch(0)) {
    signal?.throwIfAborted();
    const tape = new Tape({ memory, training: false, record: false });
    const dims = [batch.count, set.channels, set.height, set.width];
    const feeds = { [input]: tape.constant(batch.inputs, dims, 'channelsLast') };
    const logits = program.run(tape, parameters, feeds).get(output);
    if (!logits) throw new InvalidArgumentError('evaluate', 'graph', 'an output', 'none');
    const result = crossEntropy(tape, toRows(tape, logits), batch.labels);
    images += batch.count;
    correct += result.correct;
    loss += result.loss * batch.count;
    memory.reset();
    onProgress?.(images, set.count);
    await yieldToEvents();
  }
  return { images, correct, accuracy: correct / images, loss: loss / images };
}
