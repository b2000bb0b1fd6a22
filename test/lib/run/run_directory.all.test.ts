// Manifests and stage results, damaged at random: refused by the file's name, computed again, or read.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RunDirectory } from '../../../lib/run/run_directory.js';
import { Random } from '../../../lib/tensor/random.js';
import { acceptedOrRefused, damaged } from '../../support/damage.js';
import { temporaryFolder } from '../../support/temporary_folder.js';

const DAMAGES = 1000;

describe('damaged runs', () => {
  const folder = temporaryFolder();
  const options = { command: 'faultline scan model.onnx', configuration: { policy: 'W4A4', images: [1, 2.5, null] } };

  async function work(path: string): Promise<void> {
    const run = await RunDirectory.open(path, options);
    try {
      await run.stage('first', async ({ write }) => {
        await write('models/a.txt', 'content');
        return { numbers: [1, 2], text: 'x' };
      });
    } finally {
      run.close();
    }
  }

  for (const name of ['manifest.json', join('stages', 'first.json')]) {
    it(name, async () => {
      const random = new Random(22);
      const path = folder('run');
      mkdirSync(path, { recursive: true });
      await work(path);
      const good = await readFile(join(path, name));
      for (let i = 0; i < DAMAGES; i++) {
        const damage = damaged(good, random);
        writeFileSync(join(path, name), damage);
        await acceptedOrRefused(path, damage, () => work(path));
        writeFileSync(join(path, name), good);
      }
      rmSync(path, { recursive: true });
    });
  }
});
