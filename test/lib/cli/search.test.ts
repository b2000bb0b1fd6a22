// `faultline search`: agents beside baselines, the run resumes where it stopped, and what cannot be is refused at once.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../../lib/core/package_root.js';
import { GraphBuilder } from '../../../lib/graph/builder.js';
import { saveModel } from '../../../lib/graph/onnx/export.js';
import { loadModel } from '../../../lib/graph/onnx/import.js';
import { buildModel } from '../../../lib/models/index.js';
import { effectiveBits } from '../../../lib/policy/effective_bits.js';
import { policyFromJson } from '../../../lib/policy/json.js';
import type { SearchReport } from '../../../lib/search/search.js';
import { floats, integers } from '../../../lib/tensor/host_tensor.js';
import { writeNoise } from '../../support/idx.js';

const MAIN = join(packageRoot(), 'dist', 'lib', 'cli', 'main.js');
const IMAGES = 60;
const SIDE = 12;

describe('faultline search', () => {
  let folder: string;
  const flags = (...more: string[]) => [MAIN, 'search', 'model.onnx', '--images', '40', ...more];
  const options = () => ({ cwd: folder, env: { ...process.env, OMP_NUM_THREADS: '1' } });
  const search = (...more: string[]) => {
    const data = ['--data', 'images.idx3,labels.idx1', '--mean', '.5', '--std', '.25'];
    return spawnSync(process.execPath, flags(...data, ...more), { ...options(), encoding: 'utf8' });
  };
  const budget = ['--budget', '4', '--bits', '2,4-6'];
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'faultline-search-'));
    await saveModel(buildModel('convnet2', { input: [1, SIDE, SIDE], seed: 3 }), join(folder, 'model.onnx'));
    writeNoise(folder, IMAGES, SIDE);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('reports every agent with its regret, writes the policy, and resumes to the same report', async () => {
    const args = ['--worst', ...budget, '--measure', 'agreement', '--evaluations', '5', '--json'];
    const first = search(...args);
    assert.equal(first.status, 0, first.stderr);
    const report = JSON.parse(first.stdout) as SearchReport;
    assert.deepEqual(report.images, { searched: 40, others: 20 });
    const names = report.agents.map(({ agent }) => agent);
    assert.deepEqual(names, ['ddpg', 'random', 'sensitivity', 'greedy', 'cem', 'bayes', 'exhaustive']);
    const optimum = report.landscape?.[0] as number;
    assert.equal(report.landscape?.length, Number(report.budget.policies));
    for (const { agent, evaluations, value, regret, others } of report.agents) {
      assert.ok(evaluations <= (agent === 'exhaustive' ? Number(report.budget.policies) : 5));
      assert.ok(Math.abs((regret as number) - (value - optimum)) < 1e-9);
      assert.equal(typeof others, 'number');
    }
    assert.equal(report.agents.find(({ agent }) => agent === 'exhaustive')?.regret, 0);
    const again = search(...args);
    assert.equal(again.stdout, first.stdout);
    const fresh = search(...args, '--fresh');
    assert.equal(fresh.stdout, first.stdout);
    const { graph } = await loadModel(join(folder, 'model.onnx'));
    const text = search('--best', ...budget, '--evaluations', '5', '--out', 'best');
    assert.equal(text.status, 0, text.stderr);
    const policy = policyFromJson(graph, JSON.parse(readFileSync(join(folder, 'best', 'policy.json'), 'utf8')));
    assert.equal(effectiveBits(graph, policy), 4);
    assert.deepEqual(
      text.stdout.split('\n').filter((line) => line.length > 80),
      [],
    );
    for (const [name, { weights, activations }] of policy.schemes) {
      const [w, a] = [weights.format.bits, activations.format.bits];
      assert.match(text.stdout, new RegExp(`^${name} +(Conv|Gemm|MatMul)\\b.* W${w}A${a} +${w} +${a}$`, 'm'));
    }
    assert.match(text.stdout, /^all \d+ policies by accuracy$/m);
    assert.ok(existsSync(join(folder, 'best', 'tables', 'agents.csv')));
  });

  it('pins and excludes nodes', () => {
    const args = ['--worst', ...budget, '--pin', 'conv1.conv=W4A4', '--exclude', 'logits', '--no-baselines', '--json'];
    const { stdout, stderr, status } = search(...args, '--tolerance', '.6', '--agent', 'greedy');
    assert.equal(status, 0, stderr);
    const [only, ...others] = (JSON.parse(stdout) as SearchReport).agents;
    assert.deepEqual(
      others.map(({ agent }) => agent),
      ['exhaustive'],
    );
    assert.deepEqual(only?.policy.excluded, ['logits']);
    assert.deepEqual(only?.policy.nodes['conv1.conv'], 'W4A4');
  });

  it('refuses what cannot be before any work, naming it', () => {
    const refuse = (pattern: RegExp, ...args: string[]) => {
      const { status, stderr } = search(...args, '--out', 'never');
      assert.notEqual(status, 0);
      assert.match(stderr, pattern);
      assert.ok(!existsSync(join(folder, 'never')));
    };
    refuse(
      /bits: expected effective bits that these choices can have, nearest 6, received 7/,
      '--worst',
      '--budget',
      '7',
      '--bits',
      '2-6',
    );
    refuse(/--worst, --best: expected one of the two, received none/, ...budget);
    refuse(/--worst, --best: expected one of the two, received both/, '--worst', '--best', ...budget);
    refuse(/has no node "conv9"/, '--worst', ...budget, '--exclude', 'conv9');
    refuse(/agent: expected bayes, .*received oracle/, '--worst', ...budget, '--agent', 'oracle');
    refuse(/--split: expected a split that the data have, received train/, '--worst', ...budget, '--split', 'train');
    refuse(/W2A2 … W8A8/, '--worst', '--budget', '4', '--bits', 'W4');
    refuse(/all \d+ policies/, '--worst', ...budget, '--agent', 'exhaustive', '--enumerate', '1', '--evaluations', '2');
  });

  it('refuses a network whose nodes depend on a fixed batch', async () => {
    const g = new GraphBuilder('bound');
    const flat = g.node('flat', 'Reshape', [
      g.input('x', [1, 1, SIDE, SIDE]),
      g.initializer('to', integers([SIDE * SIDE])),
    ]);
    const weight = g.initializer('w', floats([SIDE * SIDE, 2], new Float32Array(2 * SIDE * SIDE)));
    const product = g.node('product', 'MatMul', [flat, weight]);
    g.output(g.node('row', 'Reshape', [product, g.initializer('from', integers([1, 2]))]));
    await saveModel(g.build(), join(folder, 'bound.onnx'));
    const args = [MAIN, 'search', 'bound.onnx', '--worst', '--budget', '4', '--bits', '4,8', '--data', 'images.idx3'];
    const { status, stderr } = spawnSync(process.execPath, args, { ...options(), encoding: 'utf8' });
    assert.match(stderr, /bound\.onnx: expected a batch of any size: .* received 1, which nodes inside depend on/);
    assert.equal(status, 2);
  });

  it('leaves the best so far on disk when interrupted, and resumes', async () => {
    const args = ['--worst', '--budget', '4', '--bits', '2-6', '--data', 'images.idx3,labels.idx1', '--out', 'cut'];
    const all = [...args, '--agent', 'cem', '--no-baselines', '--evaluations', '60', '--enumerate', '0', '--json'];
    const child = spawn(process.execPath, flags(...all), { ...options(), stdio: ['ignore', 'pipe', 'pipe'] });
    const closed = once(child, 'close');
    const policy = join(folder, 'cut', 'policy.json');
    while (!existsSync(policy) && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 2));
    child.kill('SIGINT');
    await closed;
    const { graph } = await loadModel(join(folder, 'model.onnx'));
    assert.equal(effectiveBits(graph, policyFromJson(graph, JSON.parse(readFileSync(policy, 'utf8')))), 4);
    const run = (...more: string[]) =>
      spawnSync(process.execPath, flags(...all, ...more), { ...options(), encoding: 'utf8' });
    const resumed = run();
    assert.equal(resumed.status, 0, resumed.stderr);
    assert.equal(resumed.stdout, run('--fresh').stdout);
  });
});
