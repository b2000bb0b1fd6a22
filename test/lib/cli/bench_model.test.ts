// `faultline bench model`: the command itself, and what it refuses.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { modelReportSchema } from '../../../lib/bench/model/schema.js';
import { packageRoot } from '../../../lib/core/package_root.js';
import { saveModel } from '../../../lib/graph/onnx/export.js';
import { buildModel } from '../../../lib/models/index.js';

const MAIN = join(packageRoot(), 'dist', 'lib', 'cli', 'main.js');
const QUICK = ['--batch', '2', '-r', '1', '--round-ms', '1', '--no-peers'];

describe('faultline bench model', () => {
  let folder: string;
  let path: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'faultline-'));
    path = join(folder, 'model.onnx');
    await saveModel(buildModel('convnet2', { input: [1, 12, 12] }), path);
  });
  after(() => rm(folder, { recursive: true }));

  function bench(...flags: string[]) {
    const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, 'bench', 'model', path, ...flags], {
      encoding: 'utf8',
    });
    return { status, stdout, stderr };
  }

  it('JSON follows its schema', () => {
    const { status, stdout, stderr } = bench(...QUICK, '--policy', 'fp32,W8A8', '--json');
    assert.equal(status, 0, stderr);
    const report = modelReportSchema.parse(JSON.parse(stdout));
    assert.deepEqual(
      report.rows.map(({ policy }) => policy),
      ['fp32', 'W8A8'],
    );
    assert.ok(stderr.includes('faultline W8A8, checked'));
  });

  it('refuses what it cannot measure', () => {
    const { status, stderr } = bench('--policy', 'W9A8');
    assert.equal(status, 2, stderr);
    assert.match(stderr, /W2A2/);
  });
});
