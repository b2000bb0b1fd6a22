// `faultline inspect model.onnx`: the table, the folded table, JSON, and what a bad file says.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspectModel } from '../../lib/cli/inspect_model.js';
import { saveModel } from '../../lib/graph/onnx/export.js';
import { buildModel } from '../../lib/models/index.js';
import { packageRoot } from '../../lib/native/addon.js';

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

  it('lists nodes and totals', async () => {
    const { text, notes } = await inspectModel(path);
    assert.match(
      text,
      /^resnet8: opset 17, weights 314kB\n31 nodes \(10 quantizable \*\), 77,754 parameters, 2\.55M MACs/,
    );
    assert.match(text, /\nstem\.conv +Conv\* 3x3\/2 +\[N,16,14,14\] +144 +28\.2k\n/);
    assert.deepEqual(notes, []);
  });

  it('shows with fold what would be quantized, and says what it folded', async () => {
    const { text, notes } = await inspectModel(path, { fold: true });
    assert.match(text, /\n22 nodes \(10 quantizable \*\), 77,418 parameters/);
    assert.equal(notes.length, 9);
    assert.equal(notes[0], 'BatchNormalization (stem.norm) folded into Conv (stem.conv)');
  });

  it('writes JSON with every figure', async () => {
    const report = JSON.parse((await inspectModel(path, { json: true })).text);
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

  it('is a command: the table on stdout, remarks on stderr, bad files and options refused', async () => {
    const run = (...args: string[]) => spawnSync(process.execPath, [MAIN, 'inspect', ...args], { encoding: 'utf8' });
    const folded = run(path, '--fold');
    const report = await inspectModel(path, { fold: true });
    assert.deepEqual([folded.status, folded.stdout, folded.stderr], [0, report.text, `${report.notes.join('\n')}\n`]);
    const missing = run(join(folder, 'missing.onnx'));
    assert.equal(missing.status, 1);
    assert.match(missing.stderr, /^faultline: .*missing\.onnx/);
    assert.equal(run('--fold').status, 2);
  });

  it('names the file that is none', async () => {
    const text = join(folder, 'notes.onnx');
    await writeFile(text, 'not a model');
    await assert.rejects(inspectModel(text), /notes\.onnx: not a readable ONNX file/);
    await assert.rejects(inspectModel(join(folder, 'missing.onnx')), /missing\.onnx/);
  });
});
