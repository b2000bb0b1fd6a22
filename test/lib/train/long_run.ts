// Ten thousand training steps in a separate process without other work: prints by how many bytes
// the process grew over them, after the steps that fill its pools. node --expose-gc long_run.js
import { buildModel } from '../../../lib/models/index.js';
import { setThreads } from '../../../lib/native/threads.js';
import { train } from '../../../lib/train/train.js';
import { QUARTERS_NORMALIZATION, quarters } from '../../support/quarters.js';

const WARM_UP = 2_000;
const STEPS = 10_000;
const BATCH = 8;

setThreads(1);
const set = quarters(256, 1);
const resident = () => {
  (globalThis as { gc?: () => void }).gc?.();
  return process.memoryUsage.rss();
};
let before = 0;
await train(buildModel('convnet2', { input: [1, 8, 8], classes: 4, seed: 5 }), set, {
  epochs: ((WARM_UP + STEPS) * BATCH) / set.count,
  batchSize: BATCH,
  optimizer: { kind: 'adam', rate: 3e-3 },
  schedule: { kind: 'oneCycle' },
  seed: 5,
  normalization: QUARTERS_NORMALIZATION,
  augmentation: { flip: false, crop: 1 },
  onProgress: ({ step }) => {
    if (step === WARM_UP) before = resident();
  },
});
process.stdout.write(String(resident() - before));
