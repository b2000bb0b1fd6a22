// `faultline corruptions`: the table, the JSON, the contact sheet, and what it refuses.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CorruptionGrid } from '../../../lib/assess/measure/corruption_grid.js';
import { packageRoot } from '../../../lib/core/package_root.js';
import { saveModel } from '../../../lib/graph/onnx/export.js';
import { blobs, network } from '../../support/assess_networks.js';
import { idx } from '../../support/idx.js';

const MAIN = join(packageRoot(), 'dist', 'lib', 'cli', 'main.js');

describe('faultline corruptions', () => {
  let folder: string;
  let run: (...args: string[]) => ReturnType<typeof spawnSync> & { stdout: string; stderr: string };
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'faultline-corruptions-'));
    const model = join(folder, 'model.onnx');
    await saveModel(network('convnet2', [1, 12, 12]), model);
    const { pixels, labels } = blobs(30);
    writeFileSync(join(folder, 'images.idx3'), idx([30, 12, 12], pixels));
    writeFileSync(join(folder, 'labels.idx1'), idx([30], labels as Int32Array));
    const data = `${join(folder, 'images.idx3')},${join(folder, 'labels.idx1')}`;
    run = (...args) =>
      spawnSync(process.execPath, [MAIN, 'corruptions', model, '--data', data, ...args], { encoding: 'utf8' });
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('prints a line for each corruption and level, and writes the contact sheet', () => {
    const sheet = join(folder, 'sheet.png');
    const { status, stdout, stderr } = run(
      '--corruptions',
      'fog:3,range:4,bright_pixel:x2',
      '--policy',
      'W8A8',
      'W4A4',
      '--contact-sheet',
      sheet,
    );
    assert.equal(status, 0, stderr);
    for (const name of ['clean', 'fog:3', 'bright_pixel:4', 'bright_pixel:x2', 'outlier_channel:4']) {
      assert.match(stdout, new RegExp(`^${name} +\\d+\\.\\d+ +[−-]?\\d*\\.\\d`, 'm'));
    }
    assert.match(stdout, /fp32.* +W8A8.* +W4A4/);
    assert.match(stdout, /mCE/);
    assert.equal(readFileSync(sheet).subarray(1, 4).toString('latin1'), 'PNG');
  });

  it('writes everything as JSON', () => {
    const { status, stdout, stderr } = run('--corruptions', 'blur:1', '--policy', 'W4A4', '--images', '20', '--json');
    assert.equal(status, 0, stderr);
    const grid = JSON.parse(stdout) as CorruptionGrid;
    assert.equal(grid.schema, 'faultline.corruptions/1');
    assert.equal(grid.images, 20);
    assert.deepEqual(
      grid.conditions.map(({ corruption }) => corruption),
      ['defocus_blur', 'glass_blur', 'motion_blur', 'zoom_blur', 'gaussian_blur'],
    );
  });

  it('refuses unknown corruptions and baselines by name, with exit code 2', () => {
    const haze = run('--corruptions', 'haze');
    assert.equal(haze.status, 2);
    assert.match(haze.stderr, /expected all, benchmark, .* received "haze"/);
    const baseline = run('--corruptions', 'fog:1', '--baseline', 'W3A3');
    assert.equal(baseline.status, 2);
    assert.match(baseline.stderr, /baseline: expected fp32, W8A8/);
    const block = run('--corruptions', 'fog:1', '--block-size', '17');
    assert.equal(block.status, 2);
    assert.match(block.stderr, /^faultline: --block-size: expected a power of two from 16 to 16384, received 17/);
  });
});
