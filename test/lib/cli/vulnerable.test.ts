// `faultline vulnerable`: the summary, the files, and what it refuses.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Vulnerable } from '../../../lib/assess/vulnerable/vulnerable.js';
import { packageRoot } from '../../../lib/core/package_root.js';
import { saveModel } from '../../../lib/graph/onnx/export.js';
import { blobs, network } from '../../support/assess_networks.js';
import { idx } from '../../support/idx.js';

const MAIN = join(packageRoot(), 'dist', 'lib', 'cli', 'main.js');

describe('faultline vulnerable', () => {
  let folder: string;
  let run: (...args: string[]) => { status: number | null; stdout: string; stderr: string };
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'faultline-vulnerable-'));
    const model = join(folder, 'model.onnx');
    await saveModel(network('convnet2', [1, 12, 12]), model);
    const { pixels, labels } = blobs(40);
    writeFileSync(join(folder, 'images.idx3'), idx([40, 12, 12], pixels));
    writeFileSync(join(folder, 'labels.idx1'), idx([40], labels as Int32Array));
    const data = `${join(folder, 'images.idx3')},${join(folder, 'labels.idx1')}`;
    const common = [MAIN, 'vulnerable', model, '--data', data, '--out', join(folder, 'out')];
    run = (...args) => spawnSync(process.execPath, [...common, ...args], { encoding: 'utf8' });
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('prints a summary and writes the report with its pictures', () => {
    const { status, stdout, stderr } = run('--images', '30', '--changes', 'intensity', '--channels', '2');
    assert.equal(status, 0, stderr);
    for (const title of ['By layer', 'By channel', 'By class', 'Worst inputs']) assert.match(stdout, new RegExp(title));
    const found = JSON.parse(readFileSync(join(folder, 'out', 'report.json'), 'utf8')) as Vulnerable;
    assert.deepEqual([found.schema, found.samples, found.channels.length], ['faultline.vulnerable/1', 30, 2]);
    assert.match(readFileSync(join(folder, 'out', 'report.html'), 'utf8'), /data:image\/png;base64/);
  });

  it('refuses unknown changes, with exit code 2', () => {
    const { status, stderr } = run('--changes', 'rotation');
    assert.equal(status, 2);
    assert.match(stderr, /--changes: expected none, or of pixel, linf, intensity, received rotation/);
  });
});
