// A separate training run, for the test that kills it: node killed_run.js <folder>.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exportModel } from '../../../lib/graph/onnx/export.js';
import { buildModel } from '../../../lib/models/index.js';
import { setThreads } from '../../../lib/native/threads.js';
import { Random } from '../../../lib/tensor/random.js';
import { train } from '../../../lib/train/train.js';

const folder = process.argv[2] as string;
setThreads(1);
const random = new Random(8);
const count = 320;
const pixels = Uint8Array.from({ length: count * 64 }, () => random.integer(256));
const labels = Int32Array.from({ length: count }, () => random.integer(4));

const { graph } = await train(
  buildModel('resnet8', { input: [1, 8, 8], classes: 4, seed: 1 }),
  { count, height: 8, width: 8, channels: 1, pixels, labels },
  {
    epochs: 3,
    batchSize: 32,
    optimizer: { kind: 'adam', rate: 1e-3 },
    schedule: { kind: 'oneCycle' },
    seed: 1,
    normalization: { mean: [0.5], std: [0.3] },
    augmentation: { flip: true },
    checkpoints: join(folder, 'checkpoints'),
    checkpointEvery: 4,
    resume: true,
    onProgress: ({ step }) => process.stdout.write(`step ${step}\n`),
  },
);
writeFileSync(join(folder, 'model.onnx'), exportModel(graph));
