// The teacher of a distillation: a black box from images to logits. It runs once for every image.

import { toRows } from '../autograd/ops/layout.js';
import { Tape } from '../autograd/tape.js';
import { InvalidArgumentError } from '../core/errors.js';
import { type ImageSet, imageSize, type Normalization } from '../data/image_set.js';
import { Loader } from '../data/loader.js';
import { Graph } from '../graph/graph.js';
import { Parameters } from '../graph/parameters.js';
import { float } from '../runtime/backends/float.js';
import { compile } from '../runtime/program.js';
import { Memory } from '../tensor/memory.js';
import { checkedInput, yieldToEvents } from './steps.js';

/** Normalised images, inputs[count, height, width, channels], to logits [count, classes]. */
export type BlackBox = (inputs: Float32Array, count: number) => Float32Array | Promise<Float32Array>;

/** A network, or a function. */
export type Teacher = Graph | BlackBox;

/** A teacher's answers to a set of images, by index of the image. */
export interface TeacherLogits {
  readonly count: number;
  readonly classes: number;
  /** [count, classes] */
  readonly logits: Float32Array;
}

interface TeacherOptions {
  readonly batchSize?: number;
  readonly signal?: AbortSignal | undefined;
  /** Images answered, and in all. */
  readonly onProgress?: (done: number, total: number) => void;
}

const DEFAULT_BATCH = 500;

function blackBox(teacher: Graph, set: ImageSet): BlackBox {
  const { input, output } = checkedInput('teacherLogits', teacher, set);
  const program = compile(teacher, float());
  const parameters = new Parameters(teacher);
  const memory = new Memory();
  return (inputs, count) => {
    memory.reset();
    const tape = new Tape({ memory, training: false, record: false });
    const dims = [count, set.channels, set.height, set.width];
    const logits = program
      .run({ [input]: tape.constant(inputs, dims, 'channelsLast') }, { tape, parameters })
      .get(output);
    if (!logits) throw new InvalidArgumentError('teacherLogits', 'teacher', 'an output', 'none');
    return toRows(tape, logits).data;
  };
}

/** Runs all images, in order and without augmentation. Throws InvalidArgumentError on answers of a wrong length. */
export async function teacherLogits(
  teacher: Teacher,
  set: ImageSet,
  normalization: Normalization,
  options: TeacherOptions = {},
): Promise<TeacherLogits> {
  const { batchSize = DEFAULT_BATCH, signal, onProgress } = options;
  const answer = teacher instanceof Graph ? blackBox(teacher, set) : teacher;
  let logits: Float32Array | undefined;
  let [classes, done] = [0, 0];
  for (const { inputs, count } of new Loader(set, { batchSize, normalization }).epoch(0)) {
    signal?.throwIfAborted();
    const part = await answer(inputs.subarray(0, count * imageSize(set)), count);
    classes ||= part.length / count;
    if (!Number.isInteger(classes) || classes < 2 || part.length !== count * classes) {
      const expected = classes >= 2 ? `${count} × ${classes} logits` : 'two or more logits an image';
      throw new InvalidArgumentError('teacherLogits', 'teacher', expected, `${part.length} for ${count} images`);
    }
    logits ??= new Float32Array(set.count * classes);
    logits.set(part, done * classes);
    done += count;
    onProgress?.(done, set.count);
    await yieldToEvents();
  }
  return { count: set.count, classes, logits: logits as Float32Array };
}
