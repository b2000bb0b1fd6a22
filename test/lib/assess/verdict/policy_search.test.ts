// The search of a budget: all policies where they are few, and then the worst and the best there are.
import assert from 'node:assert/strict';
import { Measurer } from '../../../../lib/assess/measure/measurer.js';
import { agentsFor, searchPolicies } from '../../../../lib/assess/verdict/policy_search.js';
import { BudgetSpace } from '../../../../lib/policy/budget.js';
import { policyToJson } from '../../../../lib/policy/json.js';
import { twoProducts, vectors } from '../../../support/product_network.js';

describe('search of policies', () => {
  const graph = twoProducts();
  const space = new BudgetSpace(graph, { bits: 4, choices: ['W2A2', 'W6A6', 'W4A4'] });
  const samples = vectors(graph, 60);
  const expected = samples.labels as Int32Array;
  const measurer = new Measurer(graph);
  after(() => measurer.dispose());

  it('goes through all policies where the evaluations suffice, else asks several agents', () => {
    const names = (evaluations: number) => agentsFor(space, evaluations).map(({ name }) => name);
    assert.deepEqual(names(Number(space.count)), ['exhaustive']);
    assert.deepEqual(names(Number(space.count) - 1), ['sensitivity', 'greedy', 'cem', 'random']);
  });

  it('finds the policies of least and greatest accuracy', async () => {
    const options = { evaluations: Number(space.count), seed: 0 };
    const found = await searchPolicies(measurer, space, 4, samples, expected, 'accuracy', options);
    const all = [...space.policies()];
    const outcomes = await measurer.run(samples, all);
    const right = outcomes.map(({ answers }) => (answers as Int32Array).filter((one, i) => one === expected[i]).length);
    const rightUnder = (json: unknown) => right[all.findIndex((one) => isSame(policyToJson(one), json))];
    assert.equal(rightUnder(found.worst), Math.min(...right));
    assert.equal(rightUnder(found.best), Math.max(...right));
    assert.deepEqual([found.policies, found.samples, found.cut], [String(all.length), 60, false]);
    const [detrimental] = found.agents;
    assert.ok(Math.abs((detrimental?.value ?? 0) - (100 * Math.min(...right)) / 60) < 1e-9);
  });

  it('stops when it is called off, and when time is up before anything was found', async () => {
    const enough = AbortSignal.abort(new Error('enough'));
    for (const stop of [{ signal: enough }, { deadline: enough }]) {
      const options = { evaluations: 3, seed: 0, ...stop };
      await assert.rejects(searchPolicies(measurer, space, 4, samples, expected, 'accuracy', options), /enough/);
    }
  });
});

const isSame = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
