// Runs of many policies: classes and margins are those of single runs, in order, and packed weights are kept.
import assert from 'node:assert/strict';
import { Measurer } from '../../../../lib/assess/measure/measurer.js';
import type { SampleBatch } from '../../../../lib/assess/samples.js';
import { type Policy, uniformPolicy } from '../../../../lib/policy/policy.js';
import { evaluatePolicies } from '../../../../lib/runtime/evaluate_policies.js';
import { classification } from '../../../../lib/tasks/classification.js';
import { CLASSES, twoProducts, vectors } from '../../../support/product_network.js';

describe('measurer', () => {
  const graph = twoProducts();
  const samples = vectors(graph, 20);
  const [batch] = [...samples.batches(20)] as [SampleBatch];
  // More than the sixteen that are measured at once at least.
  const policies = ['W8A8', 'W2A2', 'W4A4'].flatMap((bits): Policy[] => Array(7).fill(uniformPolicy(graph, bits)));
  let measurer: Measurer;
  beforeEach(() => {
    measurer = new Measurer(graph);
  });
  afterEach(() => measurer.dispose());

  it('says for each policy, in order, what the evaluator says of it alone', async () => {
    const outcomes = await measurer.run(samples, policies);
    assert.equal(outcomes.length, policies.length);
    for (const [i, policy] of policies.entries()) {
      const [alone] = await evaluatePolicies(graph, [policy], { ...batch, labels: undefined }, { logits: true });
      const logits = alone?.logits as Float32Array;
      assert.deepEqual(outcomes[i]?.answers, classification.answers(logits, 20));
      assert.deepEqual(outcomes[i]?.margins, classification.classes.margins(logits, 20));
    }
  });

  it('visits the logits of every policy on every sample, and reports how far it is', async () => {
    const seen = new Map<number, number>();
    const progress: [number, number][] = [];
    const visit = (policy: number, logits: Float32Array, start: number, count: number) => {
      assert.equal(logits.length, count * CLASSES);
      assert.equal(start, 0);
      seen.set(policy, (seen.get(policy) ?? 0) + count);
    };
    const onProgress = (done: number, total: number) => progress.push([done, total]);
    await measurer.visit(samples, policies, visit, { onProgress });
    assert.deepEqual(
      [...seen.entries()],
      policies.map((_, i) => [i, 20]),
    );
    assert.deepEqual(progress.at(-1), [20 * policies.length, 20 * policies.length]);
  });

  it('another plan is another evaluator, which can be forgotten', async () => {
    const plan = { arithmetic: 'saturating16' } as const;
    const [coarse] = await measurer.run(samples, [uniformPolicy(graph, 'W8A8')], { plan });
    const [fine] = await measurer.run(samples, [uniformPolicy(graph, 'W8A8')]);
    assert.notDeepEqual(coarse?.margins, fine?.margins);
    measurer.forget(plan);
    assert.deepEqual((await measurer.run(samples, [uniformPolicy(graph, 'W8A8')], { plan }))[0], coarse);
  });

  it('stops when it is called off', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    await assert.rejects(measurer.run(samples, policies, { signal }), /enough/);
  });
});
