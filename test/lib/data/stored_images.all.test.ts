// Images that stay in their files: memory does not grow with the file.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, openSync, rmSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../../lib/core/package_root.js';
import { saveModel } from '../../../lib/graph/onnx/export.js';
import { buildModel } from '../../../lib/models/index.js';
import { Random } from '../../../lib/tensor/random.js';
import { npy } from '../../support/npy.js';

describe('stored images', () => {
  let folder: string;
  const path = (name: string) => join(folder, name);
  const random = new Random(1);
  const bytes = (count: number) => Uint8Array.from({ length: count }, () => random.integer(256));
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'faultline-stored-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  it('of four gigabytes: profile and assess keep within one', async () => {
    const count = 2 ** 32 / (64 * 64);
    const file = path('huge.npy');
    writeFileSync(file, npy('|u1', [count, 64, 64], new Uint8Array(0)));
    const header = 128;
    truncateSync(file, header + 2 ** 32); // a hole: no disk is used
    const descriptor = openSync(file, 'r+');
    for (let i = 0; i < count; i += 1000) writeSync(descriptor, bytes(4096), 0, 4096, header + i * 4096);
    await saveModel(buildModel('convnet2', { input: [1, 64, 64], classes: 4, seed: 1 }), path('model.onnx'));
    const child = `
      import { assess, imageSamples, loadOnnx, profile } from '${packageRoot()}/dist/lib/index.js';
      import { openDataset } from '${packageRoot()}/dist/lib/public/data.js';
      const { graph } = await loadOnnx('${path('model.onnx')}');
      const { test, normalization } = await openDataset('${file}');
      const samples = imageSamples(graph, test, normalization, { count: 400 });
      const { layers } = await profile(graph, samples);
      const { samples: { all } } = await assess(graph, samples, { search: false, policies: ['W8A8'] });
      console.log(JSON.stringify({ count: test.count, layers: layers.length, all, rss: process.resourceUsage().maxRSS }));
    `;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', child], {
      encoding: 'utf8',
      env: { ...process.env, OMP_NUM_THREADS: '1' },
    });
    assert.notEqual(stdout, '', stderr);
    const { rss, ...rest } = JSON.parse(stdout) as Record<string, number>;
    assert.deepEqual(rest, { count, layers: 3, all: 400 });
    assert.ok((rss ?? 0) < 2 ** 20, `${rss} KiB`);
  });
});
