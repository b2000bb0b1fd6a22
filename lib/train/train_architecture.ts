// A network from an architecture and a data set: training images held out by hash, a recipe, training, its accuracy.

import { InvalidArgumentError } from '../core/errors.js';
import type { Dataset } from '../data/image_set.js';
import { splitByHash } from '../data/split.js';
import type { Graph } from '../graph/graph.js';
import { type ArchitectureName, buildModel } from '../models/index.js';
import { type Evaluation, evaluate } from './evaluate.js';
import type { CheckpointOptions } from './loop.js';
import { TEACHER, TEACHER_RESNET18 } from './recipes.js';
import { type TrainingRecipe, type TrainProgress, train } from './train.js';

/** Changes to the recipe of an architecture. */
interface TrainArchitectureOptions extends CheckpointOptions {
  readonly architecture: ArchitectureName;
  readonly epochs?: number | undefined;
  readonly batchSize?: number | undefined;
  /** The highest learning rate. */
  readonly rate?: number | undefined;
  /** Flips images and crops them by 2 pixels. */
  readonly augment?: boolean | undefined;
  readonly bf16?: boolean | undefined;
  /** Training images held out. Default 0. */
  readonly validation?: number | undefined;
  /** Of weights, order, augmentation and split. Default 0. */
  readonly seed?: number | undefined;
  readonly onProgress?: (progress: TrainProgress) => void;
}

/** A network with its full-precision accuracy. */
interface TrainedArchitecture {
  readonly graph: Graph;
  readonly recipe: TrainingRecipe;
  readonly images: { readonly train: number; readonly validation: number; readonly test: number };
  readonly steps: number;
  /** Of this call: since the checkpoint, when resumed. */
  readonly seconds: number;
  /** Of the images held out, if any. */
  readonly validation: Evaluation | undefined;
  readonly test: Evaluation;
}

/** The recipe of an architecture with the options' changes. */
function trainingRecipe(options: Omit<TrainArchitectureOptions, keyof CheckpointOptions>): TrainingRecipe {
  const { architecture, epochs, batchSize, rate, augment, bf16 = false, seed = 0 } = options;
  const usual = architecture === 'resnet18' ? TEACHER_RESNET18 : TEACHER;
  return {
    ...usual,
    epochs: epochs ?? usual.epochs,
    batchSize: batchSize ?? usual.batchSize,
    optimizer: { ...usual.optimizer, rate: rate ?? usual.optimizer.rate },
    seed,
    ...(augment ? { augmentation: { flip: true, crop: 2 } } : {}),
    bf16,
  };
}

/**
 * Trains a network for the classes of a data set. Throws InvalidArgumentError on data without training images, and
 * what train() throws.
 */
export async function trainArchitecture(
  dataset: Dataset,
  options: TrainArchitectureOptions,
): Promise<TrainedArchitecture> {
  const { architecture, validation = 0, seed = 0, signal, onProgress } = options;
  const { train: images, test, normalization, classNames } = dataset;
  if (!images) throw new InvalidArgumentError('train', 'data', 'a set with training images', 'one without');
  const split = validation > 0 ? splitByHash(images, validation, seed) : { train: images, validation: undefined };
  const { channels, height, width } = split.train;
  const untrained = buildModel(architecture, { input: [channels, height, width], classes: classNames.length, seed });
  const recipe = trainingRecipe(options);
  const { checkpoints, checkpointEvery, resume = false } = options;
  const { graph, steps, seconds } = await train(untrained, split.train, {
    ...recipe,
    normalization,
    ...(checkpoints === undefined ? {} : { checkpoints }),
    ...(checkpointEvery === undefined ? {} : { checkpointEvery }),
    resume,
    signal,
    ...(onProgress ? { onProgress } : {}),
  });
  return {
    graph,
    recipe,
    images: { train: split.train.count, validation, test: test.count },
    steps,
    seconds,
    validation: split.validation && (await evaluate(graph, split.validation, normalization, { signal })),
    test: await evaluate(graph, test, normalization, { signal }),
  };
}
