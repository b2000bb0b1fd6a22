// `faultline mitigate`: the summary, the files, and what it refuses before any work.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../../lib/core/package_root.js';
import { saveModel } from '../../../lib/graph/onnx/export.js';
import { loadModel } from '../../../lib/graph/onnx/import.js';
import { policyFromJson } from '../../../lib/policy/json.js';
import { blobs, disparate, trainedOnBlobs } from '../../support/assess_networks.js';
import { idx } from '../../support/idx.js';

const MAIN = join(packageRoot(), 'dist', 'lib', 'cli', 'main.js');

describe('faultline mitigate', () => {
  let folder: string;
  let run: (...args: string[]) => { status: number | null; stdout: string; stderr: string };
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'faultline-mitigate-'));
    const model = join(folder, 'model.onnx');
    await saveModel(disparate(await trainedOnBlobs(), 4096), model);
    const images = join(folder, 'images.idx3');
    writeFileSync(images, idx([300, 12, 12], blobs(300, 21).pixels));
    const common = [MAIN, 'mitigate', model, '--data', images, '--mean', '0.5', '--std', '0.25'];
    run = (...args) => spawnSync(process.execPath, [...common, ...args], { encoding: 'utf8' });
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('without labels: says what was wrong and what each cure did, and writes model, policy and report', async () => {
    const out = join(folder, 'out');
    const { status, stdout, stderr } = run('--policy', 'W8A8', '--out', out, '--steps', '4');
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^Mitigation of model\.onnx under W8A8\n/);
    assert.match(stdout, /On 100 images, clean: \d+\.\d % → \d+\.\d % agreement/);
    assert.match(stdout, /What is wrong\nOn 100 images that no cure sees[\s\S]*\n- gauge: /);
    assert.match(stdout, /- equalization: kept, /);
    assert.ok(stdout.split('\n').every((line) => line.length <= 80 || line.startsWith(folder)));
    const { graph } = await loadModel(join(out, 'model.onnx'));
    assert.ok(policyFromJson(graph, JSON.parse(readFileSync(join(out, 'policy.json'), 'utf8'))).schemes.size > 0);
    assert.match(readFileSync(join(out, 'report.html'), 'utf8'), /What is wrong/);
  });

  it('refuses, by the name of the option, what it cannot read or write', () => {
    const file = join(folder, 'file');
    writeFileSync(file, '{"schema":"faultline.input-policy/1"}');
    const out = join(folder, 'never');
    for (const [args, wanted] of [
      [['--policy', 'W9A9', '--out', out], /^faultline: --policy: expected W2A2 … W8A8 or .*, received "W9A9"/],
      [
        ['--policy', file, '--out', out],
        /^faultline: --policy: expected a policy for this model, received .*file: .*budget/,
      ],
      [
        ['--policy', 'W8A8', '--out', out, '--cures', 'all,rest'],
        /--cures: expected auto, all or of .*, received "all"/,
      ],
      [['--policy', 'W8A8', '--out', out, '--images', '11'], /images: expected at least 12: half judge, received 11/],
      [
        ['--policy', 'W8A8', '--out', file],
        /^faultline: --out: expected a folder that can be written, received .*file: EEXIST/,
      ],
    ] as const) {
      const { status, stderr } = run(...args);
      assert.equal(status, 2, args.join(' '));
      assert.match(stderr, wanted);
    }
    assert.ok(!existsSync(join(out, 'model.onnx')));
  });
});
