// Checkpoints, each of their files damaged at random: refused by their path, or read.
import { readFileSync, writeFileSync } from 'node:fs';
import { buildModel } from '../../../lib/models/index.js';
import { Random } from '../../../lib/tensor/random.js';
import { loadCheckpoint, saveCheckpoint } from '../../../lib/train/checkpoint.js';
import { acceptedOrRefused, damaged } from '../../support/damage.js';
import { temporaryFolder } from '../../support/temporary_folder.js';

describe('damaged checkpoints', () => {
  const path = temporaryFolder();
  const FILES = { 'checkpoint.json': 2000, 'model.onnx': 300, 'state.bin': 300 } as const;
  for (const [name, damages] of Object.entries(FILES)) {
    it(name, async () => {
      const random = new Random(23);
      const graph = buildModel('mlp', { input: [1, 4, 4], classes: 2, seed: 1 });
      const state = [Float32Array.of(0.1, -0, 3), new Float32Array(0), Float32Array.of(Number.NaN)];
      await saveCheckpoint(path('run'), { step: 3, configuration: { seed: 1 }, epoch: { images: 3 }, graph, state });
      const file = path('run', 'step-3', name);
      const good = readFileSync(file);
      for (let i = 0; i < damages; i++) {
        const damage = damaged(good, random);
        writeFileSync(file, damage);
        await acceptedOrRefused(path('run'), damage, () => loadCheckpoint(path('run')));
      }
    });
  }
});
