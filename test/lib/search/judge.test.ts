// Policies of a network judged on integers: scores against the evaluator's, errors before any work.
import assert from 'node:assert/strict';
import { buildModel } from '../../../lib/models/index.js';
import { BudgetSpace } from '../../../lib/policy/budget.js';
import { evaluatePolicies } from '../../../lib/runtime/evaluate_policies.js';
import { agentNamed } from '../../../lib/search/agents/index.js';
import { fitness, Judge, regretOf, reward } from '../../../lib/search/judge.js';
import { Random } from '../../../lib/tensor/random.js';
import { fullPrecision } from '../../../lib/train/full_precision.js';
import { randomTensor } from '../../support/onnxruntime.js';

const SAMPLES = 24;
const graph = buildModel('convnet2', { input: [1, 10, 10], seed: 2 });
const dims = [SAMPLES, 1, 10, 10];
const { data: inputs } = randomTensor(new Random(3), dims);
const space = new BudgetSpace(graph, { bits: 4, choices: ['W2A2', 'W4A4', 'W6A6'] });

describe('judge', () => {
  it('scores what evaluatePolicies measures, and finds the worst and the best of it', async () => {
    const { answers: reference } = await fullPrecision(graph, { dims, inputs });
    const data = { dims, inputs, reference };
    const policies = [...space.policies()];
    const results = await evaluatePolicies(graph, policies, data);
    const agreements = results.map(({ agreement }) => agreement as number);
    assert.ok(new Set(agreements).size > 1);
    for (const objective of ['detrimental', 'robust'] as const) {
      const judge = Judge.onIntegers(graph, space, data);
      const scores = await judge.score(policies);
      assert.deepEqual(
        scores.map(({ value }) => value),
        agreements,
      );
      const found = await agentNamed('exhaustive').search(judge, { objective, evaluations: policies.length });
      assert.equal(found.value, (objective === 'detrimental' ? Math.min : Math.max)(...agreements));
      assert.equal(regretOf(objective, found.value, found.value), 0);
      assert.deepEqual(judge.best(objective), found.policy);
      assert.deepEqual(
        await judge.landscape(),
        agreements.toSorted((a, b) => a - b),
      );
      assert.equal(found.measure, 'agreement');
      judge.dispose();
    }
  });

  it('breaks ties, and only ties, by the mean probability of the class', () => {
    const of = (value: number, confidence: number) => fitness('robust', 100, { value, confidence });
    assert.ok(of(0.5, 0.2) > of(0.5, 0.1));
    assert.ok(of(0.51, 0) > of(0.5, 1));
    assert.equal(fitness('detrimental', 100, { value: 0.5, confidence: 0.2 }), -of(0.5, 0.2));
  });

  it('scores a policy once, for all callers', async () => {
    let runs = 0;
    const score = async (policies: readonly unknown[]) => {
      runs += policies.length;
      return policies.map(() => ({ value: runs, confidence: 0 }));
    };
    const judge = new Judge(graph, space, { measure: 'agreement', samples: 10, score });
    const [first, second] = space.policies();
    assert.ok(first && second);
    const scores = [await judge.score([first]), await judge.score([second, first, second])].flat();
    assert.deepEqual(
      scores.map(({ value }) => value),
      [1, 2, 1, 2],
    );
    assert.equal(runs, 2);
  });

  it('rewards a lost class where harm is the objective, a kept one where it is not', () => {
    assert.equal(reward(0, 'detrimental'), 0.5);
    assert.ok(reward(-3, 'detrimental') > 0.9 && reward(3, 'detrimental') < 0.1);
    assert.equal(reward(3, 'robust'), reward(-3, 'detrimental'));
    assert.equal(reward(Number.NaN, 'robust'), 0);
  });

  it('refuses data without samples, labels or reference', () => {
    const make = (data: { dims: number[]; inputs: Float32Array }, measure?: 'accuracy' | 'agreement') =>
      Judge.onIntegers(graph, space, data, { measure });
    assert.throws(
      () => make({ dims: [0, 1, 10, 10], inputs: new Float32Array() }),
      /data: expected one or more samples/,
    );
    assert.throws(() => make({ dims, inputs }, 'accuracy'), /expected labels to measure accuracy by/);
    assert.throws(() => make({ dims, inputs }, 'agreement'), /expected answers of full precision/);
  });
});
