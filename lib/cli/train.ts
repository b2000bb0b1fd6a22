// `faultline train`: a network from an architecture and a data set; `faultline evaluate`: its full-precision accuracy.
import { existsSync } from 'node:fs';
import { appendFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { freeBatch, type Samples } from '../assess/samples.js';
import { InvalidArgumentError } from '../core/errors.js';
import type { ImageSet } from '../data/image_set.js';
import { loadDataset } from '../data/load.js';
import { splitByHash } from '../data/split.js';
import { exportModel } from '../graph/onnx/export.js';
import { ARCHITECTURE_NAMES, type ArchitectureName, buildModel } from '../models/index.js';
import { threads } from '../native/threads.js';
import { toJson, writeWhole } from '../run/files.js';
import { type EvaluationBatch, evaluate, evaluateBatches } from '../train/evaluate.js';
import { type TrainingRecipe, type TrainProgress, train } from '../train/train.js';
import { addInputOptions, type InputFlags, readInputs } from './inputs.js';
import { readGraph } from './model.js';
import { integerOption, numberOption } from './options.js';
import { Progress } from './progress.js';

interface TrainFlags {
  readonly arch: string;
  readonly data: string;
  readonly dataDir?: string;
  readonly epochs?: number;
  readonly out: string;
  readonly seed: number;
  readonly batch: number;
  readonly rate?: number;
  readonly validation: number;
  readonly augment?: true;
  readonly bf16?: true;
  readonly checkpointEvery?: number;
  readonly resume?: true;
  readonly json?: true;
}

/** How an architecture is trained unless flags say otherwise. */
interface Defaults extends Pick<TrainingRecipe, 'optimizer' | 'schedule' | 'labelSmoothing' | 'augmentation'> {
  readonly epochs: number;
}

/** Adam with OneCycle: what the resnet8 teacher was tuned with. */
const USUAL: Defaults = {
  epochs: 5,
  optimizer: { kind: 'adam', rate: 3e-3, weightDecay: 1e-4, decayAll: true },
  schedule: { kind: 'oneCycle', warmup: 0.2 },
};

/** For resnet18, chosen on validation images of Fashion-MNIST. */
const DEEP: Defaults = {
  epochs: 8,
  optimizer: { kind: 'sgd', rate: 0.1, momentum: 0.9, nesterov: true, weightDecay: 5e-4 },
  schedule: { kind: 'oneCycle', warmup: 0.2, cycleMomentum: false },
  labelSmoothing: 0.1,
  augmentation: { flip: true },
};

function recipeOf(flags: TrainFlags): TrainingRecipe {
  const defaults = flags.arch === 'resnet18' ? DEEP : USUAL;
  const { optimizer } = defaults;
  return {
    ...defaults,
    epochs: flags.epochs ?? defaults.epochs,
    batchSize: flags.batch,
    optimizer: { ...optimizer, rate: flags.rate ?? optimizer.rate },
    seed: flags.seed,
    ...(flags.augment ? { augmentation: { flip: true, crop: 2 } } : {}),
    bf16: flags.bf16 ?? false,
  };
}

async function setsOf(flags: Pick<TrainFlags, 'data' | 'dataDir'>) {
  return loadDataset(flags.data, flags.dataDir === undefined ? {} : { from: flags.dataDir });
}

async function trainCommand(flags: TrainFlags): Promise<void> {
  const checkpoints = join(flags.out, 'checkpoints');
  if (!flags.resume && existsSync(join(flags.out, 'manifest.json'))) {
    throw new InvalidArgumentError('train', '--out', 'a new folder, or --resume', flags.out);
  }
  const dataset = await setsOf(flags);
  if (!dataset.train) throw new InvalidArgumentError('train', '--data', 'a set with training images', flags.data);
  const split =
    flags.validation > 0
      ? splitByHash(dataset.train, flags.validation, flags.seed)
      : { train: dataset.train, validation: undefined };
  const { channels, height, width } = split.train;
  const graph = buildModel(flags.arch as ArchitectureName, {
    input: [channels, height, width],
    classes: dataset.classNames.length,
    seed: flags.seed,
  });
  const recipe = recipeOf(flags);
  await mkdir(flags.out, { recursive: true });
  const manifest = {
    schema: 'faultline.run/1',
    command: ['faultline', ...process.argv.slice(2)].join(' '),
    arch: flags.arch,
    data: flags.data,
    images: { train: split.train.count, validation: flags.validation, test: dataset.test.count },
    normalization: dataset.normalization,
    recipe,
    threads: threads(),
    node: process.version,
  };
  await writeWhole(join(flags.out, 'manifest.json'), toJson(manifest));
  const abort = new AbortController();
  const stop = () => abort.abort(new Error('interrupted; --resume goes on from the last checkpoint'));
  process.once('SIGINT', stop).once('SIGTERM', stop);
  const line = new Progress();
  const events: Promise<void>[] = [];
  const onProgress = (progress: TrainProgress) => {
    line.show(progress.epochEnded, () => progressText(recipe.epochs, progress));
    if (!progress.epochEnded) return;
    const { step, epoch, loss, accuracy } = progress;
    events.push(appendFile(join(flags.out, 'events.jsonl'), `${JSON.stringify({ step, epoch, loss, accuracy })}\n`));
  };
  const result = await train(graph, split.train, {
    ...recipe,
    normalization: dataset.normalization,
    checkpoints,
    ...(flags.checkpointEvery === undefined ? {} : { checkpointEvery: flags.checkpointEvery }),
    resume: flags.resume ?? false,
    signal: abort.signal,
    onProgress,
  });
  line.end();
  await Promise.all(events);
  await writeWhole(join(flags.out, 'model.onnx'), exportModel(result.graph));
  const measure = (set: ImageSet) => evaluate(result.graph, set, dataset.normalization, { signal: abort.signal });
  const report = {
    seconds: result.seconds,
    steps: result.steps,
    ...(split.validation ? { validation: await measure(split.validation) } : {}),
    test: await measure(dataset.test),
    model: join(flags.out, 'model.onnx'),
  };
  process.off('SIGINT', stop).off('SIGTERM', stop);
  await writeWhole(join(flags.out, 'report.json'), toJson(report));
  if (flags.json) process.stdout.write(`${JSON.stringify(report)}\n`);
  else {
    const { accuracy, loss } = report.test;
    process.stdout.write(
      `${report.model}: test accuracy ${percent(accuracy)}, loss ${loss.toFixed(4)}, ${report.seconds.toFixed(1)} s\n`,
    );
  }
}

const percent = (share: number) => `${(100 * share).toFixed(2)} %`;

function progressText(epochs: number, progress: TrainProgress): string {
  const { epoch, step, steps, loss, accuracy, imagesPerSecond, secondsLeft } = progress;
  const left = secondsLeft >= 90 ? `${Math.round(secondsLeft / 60)} min` : `${Math.ceil(secondsLeft)} s`;
  const where = `epoch ${epoch}/${epochs} step ${step}/${steps}`;
  return `${where} loss ${loss.toFixed(4)} accuracy ${percent(accuracy)} ${Math.round(imagesPerSecond)} images/s ${left} left`;
}

interface EvaluateFlags extends InputFlags {
  readonly batch: number;
  readonly json?: true;
}

/** What evaluation takes of samples. Throws InvalidArgumentError when they have no labels. */
function* labelled(samples: Samples, size: number): Generator<EvaluationBatch> {
  for (const { count, dims, inputs, layout = 'rows', labels } of samples.batches(size)) {
    if (!labels) throw new InvalidArgumentError('evaluate', '--data', 'images with labels', 'images without');
    yield { count, dims, inputs, layout, labels: Int32Array.from(labels) };
  }
}

async function evaluateCommand(model: string, flags: EvaluateFlags): Promise<void> {
  const source = await readGraph(model);
  const { samples } = await readInputs(source, flags);
  const { graph, batch = flags.batch } = freeBatch(source, samples.dims);
  const line = new Progress();
  const onProgress = (done: number, total: number) => line.show(done === total, () => `${done}/${total} images`);
  const result = await evaluateBatches(graph, labelled(samples, batch), samples.count, { onProgress });
  line.end();
  if (flags.json) process.stdout.write(`${JSON.stringify(result)}\n`);
  else {
    const { accuracy, correct, images, loss } = result;
    process.stdout.write(
      `${model}: accuracy ${percent(accuracy)} (${correct} of ${images}), loss ${loss.toFixed(4)}\n`,
    );
  }
}

export function addTrainCommand(program: Command): void {
  program
    .command('train')
    .description('train a network in full precision')
    .requiredOption('--arch <name>', ARCHITECTURE_NAMES.join(', '))
    .requiredOption(
      '--data <name or path>',
      'fashion-mnist, mnist, cifar10, cifar100, a folder, .npz, images.npy,labels.npy',
    )
    .option('--data-dir <folder or URL>', 'where the files of a named data set are')
    .option('--epochs <n>', 'times through the training images (default: 5, resnet18 8)', integerOption('--epochs', 1))
    .requiredOption('--out <folder>', 'the run: manifest, events, checkpoints, model.onnx, report.json')
    .option('--seed <n>', 'of weights, order, augmentation and split', integerOption('--seed', 0), 0)
    .option('--batch <n>', 'images a step', integerOption('--batch', 1), 128)
    .option('--rate <x>', 'highest learning rate (default: Adam 0.003, resnet18 SGD 0.1)', numberOption('--rate'))
    .option('--validation <n>', 'training images held out, by hash', integerOption('--validation', 0), 0)
    .option('--augment', 'flip and crop by 2 pixels')
    .option('--bf16', 'bfloat16 factors in convolutions')
    .option('--checkpoint-every <steps>', 'default: every epoch', integerOption('--checkpoint-every', 1))
    .option('--resume', 'go on from the latest checkpoint in --out')
    .option('--json', 'the report as JSON on stdout')
    .action(trainCommand);
}

export function addEvaluateCommand(program: Command): void {
  const evaluation = program
    .command('evaluate')
    .argument('<model.onnx>')
    .description('full-precision accuracy of a model on labelled images');
  addInputOptions(evaluation)
    .option('--batch <n>', 'images at a time', integerOption('--batch', 1), 500)
    .option('--json', 'the result as JSON on stdout')
    .action(evaluateCommand);
}
