// `faultline inspect model.onnx`: the table, the folded table, JSON, and what a bad file says.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../../lib/core/package_root.js';
import { saveModel } from '../../../lib/graph/onnx/export.js';
import { buildModel } from '../../../lib/models/index.js';

const MAIN = join(packageRoot(), 'dist', 'lib', 'cli', 'main.js');

describe('faultline inspect model.onnx', () => {
  let folder: string;
  let path: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'faultline-'));
    path = join(folder, 'resnet8.onnx');
    await saveModel(buildModel('resnet8'), path);
  });
  after(() => rm(folder, { recursive: true }));

  const run = (...args: string[]) => spawnSync(process.execPath, [MAIN, 'inspect', ...args], { encoding: 'utf8' });

  it('lists nodes and totals', () => {
    const { stdout, stderr, status } = run(path);
    assert.equal(status, 0);
    assert.match(stdout, /^resnet8: opset 17, weights 314kB\n/);
    assert.match(stdout, /^31 nodes \(10 quantizable \*\), 77,754 parameters, 2\.55M MACs/m);
    assert.match(stdout, /\nstem\.conv +Conv\* 3x3\/2 +\[N,16,14,14\] +144 +28\.2k\n/);
    assert.equal(stderr, '');
  });

  it('shows with fold what would be quantized, and says what it folded', () => {
    const { stdout, stderr } = run(path, '--fold');
    assert.match(stdout, /\n22 nodes \(10 quantizable \*\), 77,418 parameters/);
    assert.equal(stderr, 'BatchNormalization (stem.norm) folded into Conv (stem.conv), and 8 more\n');
    assert.equal(run(path, '--fold', '--quiet').stderr, '');
  });

  it('writes JSON with every figure', () => {
    const report = JSON.parse(run(path, '--json').stdout);
    assert.equal(report.schema, 'faultline.inspectModel/1');
    assert.equal(report.parameters, 77_754);
    assert.deepEqual(report.nodes[0], {
      name: 'stem.conv',
      operator: 'Conv',
      detail: '3x3/2',
      output: { dtype: 'float32', dims: ['N', 16, 14, 14] },
      parameters: 144,
      macs: 28_224,
      quantizable: true,
    });
  });

  it('names the file that is none, and refuses what does not fit', async () => {
    const text = join(folder, 'notes.onnx');
    await writeFile(text, 'not a model');
    const wrong = run(text);
    assert.equal(wrong.status, 1);
    assert.match(wrong.stderr, /^faultline: .*notes\.onnx: expected an ONNX file, received unreadable bytes/);
    assert.match(run(join(folder, 'missing.onnx')).stderr, /^faultline: .*missing\.onnx/);
    assert.equal(run('--fold').status, 2);
  });
});
