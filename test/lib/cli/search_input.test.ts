// `faultline search --policy input`: judged beside its controls on images that nothing was chosen on.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../../lib/core/package_root.js';
import { saveModel } from '../../../lib/graph/onnx/export.js';
import { loadModel } from '../../../lib/graph/onnx/import.js';
import { buildModel } from '../../../lib/models/index.js';
import { effectiveBits } from '../../../lib/policy/effective_bits.js';
import { policyFromJson } from '../../../lib/policy/json.js';
import { inputPolicyFromJson } from '../../../lib/search/input_policy_json.js';
import type { InputSearchReport } from '../../../lib/search/search.js';
import { writeNoise } from '../../support/idx.js';

const MAIN = join(packageRoot(), 'dist', 'lib', 'cli', 'main.js');
const IMAGES = 400;
const SIDE = 12;

describe('faultline search --policy input', () => {
  let folder: string;
  const search = (data: string, ...more: string[]) => {
    const args = [MAIN, 'search', 'model.onnx', '--policy', 'input', '--data', data, '--mean', '.5', '--std', '.25'];
    const options = { cwd: folder, env: { ...process.env, OMP_NUM_THREADS: '1' }, encoding: 'utf8' } as const;
    return spawnSync(process.execPath, [...args, '--agent', 'gate', ...more], options);
  };
  const LABELLED = 'images.idx3,labels.idx1';
  // Three nodes: one of them gets 8 bits or 4, the others 4.
  const budget = ['--budget', String(16 / 3), '--bits', '4,8'];
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'faultline-search-input-'));
    await saveModel(buildModel('convnet2', { input: [1, SIDE, SIDE], seed: 3 }), join(folder, 'model.onnx'));
    writeNoise(folder, IMAGES, SIDE);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('sets the agent beside its controls, writes its policy, and resumes to the same report', async () => {
    const args = ['--worst', ...budget, '--json', '--out', 'run'];
    const first = search(LABELLED, ...args);
    assert.equal(first.status, 0, first.stderr);
    const report = JSON.parse(first.stdout) as InputSearchReport;
    assert.deepEqual(report.images, { learned: 200, selected: 100, judged: 100 });
    assert.deepEqual(report.budget, { bits: 16 / 3, choices: ['W8A4', 'W8A8'], policies: '3' });
    const names = report.figures.map(({ name }) => name);
    const controls = ['open loop', 'shuffled bits', 'worst static', 'oracle', 'oracle with labels'];
    assert.deepEqual(names, ['full precision', 'agent', ...controls]);
    const agreement = (name: string) => report.figures.find((own) => own.name === name)?.agreement as number;
    // The oracle sees everything that the agent may choose: what it does to a margin, not whether the class is lost.
    assert.ok(agreement('oracle') <= agreement('agent'));
    const { graph } = await loadModel(join(folder, 'model.onnx'));
    const policy = inputPolicyFromJson(graph, JSON.parse(readFileSync(join(folder, 'run', 'policy.json'), 'utf8')));
    assert.equal(policy.space.count, 3n);
    const bits = effectiveBits(graph, policyFromJson(graph, report.static));
    assert.ok(Math.abs(bits - (8 + 16 / 3) / 2) < 1e-9);
    assert.equal(search(LABELLED, ...args).stdout, first.stdout);
    assert.equal(search(LABELLED, ...args, '--fresh').stdout, first.stdout);
  });

  it('needs no labels, and keeps to 80 columns', () => {
    const { stdout, stderr, status } = search('images.idx3', '--best', ...budget, '--out', 'best');
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^best static +\d/m);
    assert.doesNotMatch(stdout, /accuracy|labels/);
    assert.deepEqual(
      stdout.split('\n').filter((line) => line.length > 80),
      [],
    );
  });

  it('refuses what cannot be before any work, naming it', () => {
    const refuse = (pattern: RegExp, ...args: string[]) => {
      const { status, stderr } = search(LABELLED, '--worst', ...args, '--out', 'never');
      assert.notEqual(status, 0);
      assert.match(stderr, pattern);
      assert.ok(!existsSync(join(folder, 'never')));
    };
    refuse(/nearest 4 or 5\.333333333333333, received 5/, '--budget', '5', '--bits', '4,8');
    refuse(/the same weight bits in all, .*received W4A4, W8A8/, '--budget', String(16 / 3), '--bits', 'W4A4,W8A8');
    refuse(/agent: expected gate, ppo, received ddpg/, ...budget, '--agent', 'ddpg');
    refuse(/--evaluations: expected --policy static beside it, received input/, ...budget, '--evaluations', '9');
    refuse(/--policy: expected static or input, received dynamic/, ...budget, '--policy', 'dynamic');
  });
});
