// Many policies at once against each alone.

import assert from 'node:assert/strict';
import { buildModel } from '../../../lib/models/index.js';
import { BudgetSpace } from '../../../lib/policy/budget.js';
import { formatPolicy, type Policy, uniformPolicy } from '../../../lib/policy/policy.js';
import { runFloat } from '../../../lib/runtime/backends/float.js';
import { integer } from '../../../lib/runtime/backends/integer.js';
import { evaluatePolicies, PolicyEvaluator } from '../../../lib/runtime/evaluate_policies.js';
import { compile } from '../../../lib/runtime/program.js';
import { Random } from '../../../lib/tensor/random.js';
import { randomTensor } from '../../support/onnxruntime.js';

const SAMPLES = 12;
const CLASSES = 10;
const graph = buildModel('resnet8', { seed: 4 });
const { data: inputs } = randomTensor(new Random(7), [SAMPLES, 1, 28, 28]);
const dims = [SAMPLES, 1, 28, 28];

function argmax(logits: Float32Array): number[] {
  return Array.from({ length: logits.length / CLASSES }, (_, i) => {
    const row = logits.subarray(i * CLASSES, (i + 1) * CLASSES);
    return row.indexOf(Math.max(...row));
  });
}

const tensor = { dtype: 'float32', dims, data: inputs } as const;
const reference = argmax(runFloat(graph, { input: tensor }).get('logits')?.data as Float32Array);
const labels = reference.map((label, i) => (i % 3 === 0 ? (label + 1) % CLASSES : label));

/** In an order that shares little with that of the tree, one of them twice, some nodes in float32. */
function policies(): Policy[] {
  const choices = ['W2A2', 'W4A4', 'W8A8'];
  const excluded = ['logits', 'stage1.1.1.conv'];
  const spaces = [new BudgetSpace(graph, { bits: 4, choices }), new BudgetSpace(graph, { bits: 4, choices, excluded })];
  const random = new Random(1);
  const drawn = Array.from({ length: 40 }, (_, i) => (spaces[i % 2] as BudgetSpace).sample(random));
  return [...drawn, drawn[3] as Policy, uniformPolicy(graph, 'W3A8')];
}

describe('evaluatePolicies', () => {
  it('gives what each policy gives alone, whatever the batch', async () => {
    const all = policies();
    const program = compile(graph, integer());
    const options = { logits: true, batchSize: 5 };
    const results = await evaluatePolicies(graph, all, { dims, inputs, labels, reference }, options);
    assert.equal(results.length, all.length);
    const count = (classes: readonly number[], wanted: readonly number[]) =>
      classes.filter((value, i) => value === wanted[i]).length / SAMPLES;
    results.forEach((result, i) => {
      const policy = all[i] as Policy;
      const logits = program.run({ input: tensor }, { bits: policy }).get('logits')?.data as Float32Array;
      assert.deepEqual(result.logits, logits.slice(), formatPolicy(policy));
      assert.equal(result.accuracy, count(argmax(logits), labels));
      assert.equal(result.agreement, count(argmax(logits), reference));
      assert.equal(result.samples, SAMPLES);
    });
    program.dispose();
    // Policies differ, or the comparison would say nothing.
    assert.ok(new Set(results.map(({ agreement }) => agreement)).size > 1);
  });

  it('takes images with channels last', async () => {
    const cifar = buildModel('convnet2', { input: [3, 8, 8] });
    const rows = randomTensor(new Random(2), [2, 3, 8, 8]).data;
    const last = Float32Array.from(rows, (_, i) => {
      const [n, pixel, c] = [Math.floor(i / 192), Math.floor((i % 192) / 3), i % 3];
      return rows[n * 192 + c * 64 + pixel] as number;
    });
    const policy = [uniformPolicy(cifar, 'W8A8')];
    const shape = [2, 3, 8, 8];
    const [a] = await evaluatePolicies(cifar, policy, { dims: shape, inputs: rows }, { logits: true });
    const data = { dims: shape, inputs: last, layout: 'channelsLast' } as const;
    const [b] = await evaluatePolicies(cifar, policy, data, { logits: true });
    assert.deepEqual(a, b);
    assert.equal(a?.accuracy, undefined);
  });

  it('reports progress, lets timers fire, and stops when called off', async () => {
    const abort = new AbortController();
    const seen: number[] = [];
    let fired = 0;
    const timer = setInterval(() => {
      fired += 1;
    }, 0);
    const all = [uniformPolicy(graph, 'W8A8'), uniformPolicy(graph, 'W4A4')];
    const evaluator = new PolicyEvaluator(graph);
    const onProgress = (done: number, total: number) => {
      assert.equal(total, 2 * SAMPLES);
      seen.push(done);
    };
    await evaluator.evaluate(all, { dims, inputs }, { batchSize: 4, onProgress });
    assert.deepEqual(seen, [8, 16, 24]);
    assert.ok(fired > 0);
    clearInterval(timer);
    const stopped = evaluator.evaluate(
      all,
      { dims, inputs },
      {
        batchSize: 4,
        signal: abort.signal,
        onProgress: () => abort.abort(),
      },
    );
    await assert.rejects(stopped, { name: 'AbortError' });
    const [again] = await evaluator.evaluate(all, { dims, inputs, reference });
    assert.equal(again?.samples, SAMPLES);
    evaluator.dispose();
  });

  it('needs no more memory for many policies than for two that differ everywhere', async () => {
    const evaluator = new PolicyEvaluator(graph);
    const both = ['W2A2', 'W4A4', 'W8A8'].map((bits) => uniformPolicy(graph, bits));
    await evaluator.evaluate(both, { dims, inputs });
    const space = new BudgetSpace(graph, { bits: 4, choices: ['W2A2', 'W4A4', 'W8A8'] });
    const random = new Random(2);
    const drawn = Array.from({ length: 60 }, () => space.sample(random));
    await evaluator.evaluate(drawn.slice(0, 20), { dims, inputs });
    const { bytes } = evaluator;
    for (let i = 0; i < 3; i++) await evaluator.evaluate(drawn.slice(0, 20), { dims, inputs });
    assert.equal(evaluator.bytes, bytes);
    // Branches hold what later layers read: a few values for each level, never one for each policy.
    await evaluator.evaluate(drawn, { dims, inputs });
    assert.ok(evaluator.bytes <= 1.5 * bytes, `${evaluator.bytes} bytes after ${bytes}`);
    evaluator.dispose();
  });

  it('refuses policies and data that do not fit, before any work', async () => {
    const good = uniformPolicy(graph, 'W8A8');
    const other = uniformPolicy(buildModel('mlp'), 'W8A8');
    const refuse = (promise: Promise<unknown>, message: RegExp) => assert.rejects(promise, message);
    const never = () => assert.fail('it began');
    await refuse(evaluatePolicies(graph, [good, other], { dims, inputs }, { onProgress: never }), /no node "hidden1"/);
    await refuse(evaluatePolicies(graph, [good], { dims: [13, 1, 28, 28], inputs }), /inputs: expected 10192 elements/);
    await refuse(evaluatePolicies(graph, [good], { dims: [0, 1, 28, 28], inputs }), /one or more samples/);
    await refuse(evaluatePolicies(graph, [good], { dims, inputs, labels: [1] }), /labels: expected 12 answers/);
    await refuse(evaluatePolicies(graph, [good], { dims, inputs }, { batchSize: 0 }), /batchSize/);
  });
});
