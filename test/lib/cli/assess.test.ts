// `faultline assess`: exit codes are the verdict, the run is saved, and the same command resumes it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AssessResult } from '../../../lib/assess/verdict/result.js';
import { packageRoot } from '../../../lib/core/package_root.js';
import { saveModel } from '../../../lib/graph/onnx/export.js';
import { blobs, disparate, trainedOnBlobs } from '../../support/assess_networks.js';
import { idx } from '../../support/idx.js';

const MAIN = join(packageRoot(), 'dist', 'lib', 'cli', 'main.js');
const PREPROCESSING = ['--mean', '.5', '--std', '.25', '--evaluations', '8', '--max-drop', '3'];

describe('faultline assess', () => {
  let folder: string;
  let data: string;
  const assess = (model: string, ...flags: string[]) =>
    spawnSync(process.execPath, [MAIN, 'assess', join(folder, model), '--data', data, ...PREPROCESSING, ...flags], {
      encoding: 'utf8',
      cwd: folder,
    });
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'faultline-assess-'));
    const graph = await trainedOnBlobs();
    await saveModel(graph, join(folder, 'ordinary.onnx'));
    await saveModel(disparate(graph, 2 ** 9), join(folder, 'apart.onnx'));
    const { pixels, labels } = blobs(400);
    writeFileSync(join(folder, 'images.idx3'), idx([400, 12, 12], pixels));
    writeFileSync(join(folder, 'labels.idx1'), idx([400], labels as Int32Array));
    data = `${join(folder, 'images.idx3')},${join(folder, 'labels.idx1')}`;
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('exits with 0, 1 or 2 for safe, caution and unsafe, and says why in 80 columns', () => {
    const safe = assess('ordinary.onnx', '--out', 'safe');
    assert.equal(safe.status, 0, safe.stdout + safe.stderr);
    assert.match(safe.stdout, /^SAFE: /m);
    assert.match(safe.stderr, /^about \d+ s/);
    const caution = assess('ordinary.onnx', '--out', 'caution', '--images', '60');
    assert.equal(caution.status, 1, caution.stdout);
    const unsafe = assess('apart.onnx', '--out', 'unsafe');
    assert.equal(unsafe.status, 2, unsafe.stdout);
    assert.match(unsafe.stdout, /^UNSAFE: .*\n/m);
    assert.match(unsafe.stdout, /- cause: ranges of channels/);
    assert.match(unsafe.stdout, /What to do:\n\n- for W8A8: /);
    const long = unsafe.stdout.split('\n').filter((line) => line.length > 80 && !line.includes(folder));
    assert.deepEqual(long, []);
  });

  it('saves the assessment; the same command finds it done, other settings are another run', () => {
    const first = assess('ordinary.onnx', '--json');
    assert.equal(first.status, 0, first.stderr);
    const result = JSON.parse(first.stdout) as AssessResult;
    assert.equal(result.schema, 'faultline.assess/2');
    assert.equal(typeof result.fp.accuracy, 'number');
    for (const { name, effectiveBits, accuracy, drop, interval } of result.policies) {
      assert.equal(typeof name, 'string');
      for (const value of [effectiveBits, accuracy, drop, ...interval]) assert.equal(typeof value, 'number');
    }
    for (const { node, drop } of result.sensitivity) assert.equal(typeof node + typeof drop, 'stringnumber');
    const runs = readdirSync(join(folder, 'runs'));
    assert.equal(runs.length, 1);
    const saved = join(folder, 'runs', runs[0] as string);
    assert.deepEqual(JSON.parse(readFileSync(join(saved, 'report.json'), 'utf8')).policies, result.policies);
    for (const name of ['manifest.json', 'report.html', 'report.md', 'tables/policies.csv']) {
      assert.ok(existsSync(join(saved, name)), name);
    }
    const stages = readdirSync(join(saved, 'stages'));
    const again = JSON.parse(assess('ordinary.onnx', '--json').stdout) as AssessResult;
    assert.deepEqual(again.policies, result.policies);
    assert.deepEqual(again.sensitivity, result.sensitivity);
    assert.deepEqual(readdirSync(join(saved, 'stages')), stages);
    assess('ordinary.onnx', '--seed', '1');
    assert.equal(readdirSync(join(folder, 'runs')).length, 2);
  });

  it('exits with the verdict when the reader stops, and with 3 when what it prints cannot be written', () => {
    const args = [MAIN, 'assess', 'apart.onnx', '--data', data, ...PREPROCESSING, '--out', 'piped', '--no-search'];
    const shell = (end: string) =>
      spawnSync('bash', ['-c', `"$0" "$@" ${end}`, process.execPath, ...args], { encoding: 'utf8', cwd: folder });
    const closed = shell('2>&1 | true; exit $PIPESTATUS'); // bash: that of the first
    assert.equal(closed.status, 2, closed.stderr);
    const full = shell('> /dev/full');
    assert.equal(full.status, 3);
    assert.match(full.stderr, /^faultline: .*(ENOSPC|no space)/m);
  });

  it('exits with 3 or 4 when it fails or refuses: a verdict is never mistaken', () => {
    const cases: [string[], number, RegExp][] = [
      [['--drop-type', 'some'], 4, /absolute or relative/],
      [['--confidence', '1'], 4, /between 0 and 1/],
      [['--policies', 'W9A9'], 4, /W2A2 … W8A8/],
      [['--bits', '5.5', '--out', 'odd'], 4, /effective bits/],
      [['--data', join(folder, 'absent.npz')], 4, /absent\.npz: expected a readable file, received no such file/],
      [['--nonsense'], 4, /unknown option/],
      [['--images', '0'], 4, /^faultline: --images: expected/],
    ];
    for (const [flags, code, message] of cases) {
      const { status, stderr } = assess('ordinary.onnx', ...flags);
      assert.match(stderr, message);
      assert.equal(status, code, flags.join(' '));
    }
    assert.equal(assess('absent.onnx').status, 4);
  });
});
