// `faultline train`: a network from an architecture and a data set.
import { join } from 'node:path';
import { loadDataset } from '../data/load.js';
import { exportModel } from '../graph/onnx/export.js';
import { ARCHITECTURE_NAMES } from '../models/index.js';
import { threads } from '../native/threads.js';
import { formatQuantity } from '../report/format.js';
import type { TrainProgress } from '../train/train.js';
import { trainArchitecture } from '../train/train_architecture.js';
import { defineCommand } from './command.js';
import { choice, flag, positive, text, wholeNumber } from './option.js';

const percent = (share: number) => formatQuantity(100 * share, 'percent');

function progressText({ epoch, step, steps, loss, accuracy, imagesPerSecond, secondsLeft }: TrainProgress): string {
  const left = secondsLeft >= 90 ? `${Math.round(secondsLeft / 60)} min` : `${Math.ceil(secondsLeft)} s`;
  const speed = `${Math.round(imagesPerSecond)} images/s ${left} left`;
  return `epoch ${epoch} step ${step}/${steps} loss ${loss.toFixed(4)} accuracy ${percent(accuracy)} ${speed}`;
}

export const command = defineCommand({
  name: 'train',
  options: {
    arch: choice('<name>', ARCHITECTURE_NAMES.join(', '), ARCHITECTURE_NAMES, { required: true }),
    data: text('<name or path>', 'fashion-mnist, mnist, cifar10, cifar100, a folder, .npz, images.npy,labels.npy', {
      required: true,
    }),
    dataDir: text('<folder or URL>', 'where the files of a named data set are'),
    epochs: wholeNumber('<n>', 'times through the training images (default: 5, resnet18 8)', 1),
    seed: wholeNumber('<n>', 'of weights, order, augmentation and split', 0, { default: 0 }),
    batch: wholeNumber('<n>', 'images a step', 1, { default: 128 }),
    rate: positive('<x>', 'highest learning rate (default: Adam 0.003, resnet18 SGD 0.1)'),
    validation: wholeNumber('<n>', 'training images held out, by hash', 0, { default: 0 }),
    augment: flag('flip and crop by 2 pixels'),
    bf16: flag('bfloat16 factors in convolutions'),
    checkpointEvery: wholeNumber('<steps>', 'default: every epoch', 1, { decides: false }),
  },
  out: 'required',
  examples: [
    'faultline train --arch mlp --data fashion-mnist --epochs 1 --out runs/mlp',
    'faultline train --arch resnet8 --data fashion-mnist --out runs/resnet8',
  ],
  async run({ options, signal, progress, openRun }) {
    const { arch, data, dataDir, epochs, batch, rate, augment, bf16, validation, seed, checkpointEvery } = options;
    const dataset = await loadDataset(data, dataDir === undefined ? {} : { from: dataDir });
    const run = await openRun();
    const found = await run.stage('train', async ({ write }) => {
      const events: Promise<void>[] = [];
      const { graph, ...trained } = await trainArchitecture(dataset, {
        ...{ architecture: arch, epochs, batchSize: batch, rate, augment, bf16, validation, seed, signal },
        checkpoints: run.file('checkpoints'),
        ...(checkpointEvery === undefined ? {} : { checkpointEvery }),
        resume: true,
        onProgress: (step) => {
          progress.show(step.epochEnded, () => progressText(step));
          if (!step.epochEnded) return;
          const { epoch, loss, accuracy } = step;
          events.push(run.event('epoch ended', { step: step.step, epoch, loss, accuracy }));
        },
      });
      await Promise.all(events);
      await write('model.onnx', exportModel(graph));
      return trained;
    });
    const model = join(run.path, 'model.onnx');
    const result = { schema: 'faultline.train/1', arch, data, threads: threads(), ...found, model };
    return { result, files: [model] };
  },
});
