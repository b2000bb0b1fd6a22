// Sensitivity of layers: what each loses alone and wins back alone, as runs of these policies have it.
import assert from 'node:assert/strict';
import { float32Policy } from '../../../../lib/assess/measure/figures.js';
import { Measurer } from '../../../../lib/assess/measure/measurer.js';
import { excluding, sensitivityOf } from '../../../../lib/assess/measure/sensitivity.js';
import { uniformPolicy } from '../../../../lib/policy/policy.js';
import { twoProducts, vectors } from '../../../support/product_network.js';

describe('sensitivity of layers', () => {
  const graph = twoProducts();
  const policy = uniformPolicy(graph, 'W2A2');

  it('nodes that are left out are float32, beside those that were', () => {
    const left = excluding({ ...policy, excluded: new Set(['other']) }, ['first']);
    assert.deepEqual([...left.schemes.keys()], ['logits']);
    assert.deepEqual(left.excluded, new Set(['other', 'first']));
  });

  it('are differences of the shares of four runs', async () => {
    const samples = vectors(graph, 60);
    const measurer = new Measurer(graph);
    try {
      const none = float32Policy(graph);
      const [full] = await measurer.run(samples, [none]);
      const expected = full?.answers as Int32Array;
      const share = async (one: typeof policy) => {
        const [outcome] = await measurer.run(samples, [one]);
        const classes = outcome?.answers as Int32Array;
        return (100 * classes.filter((own, i) => own === expected[i]).length) / 60;
      };
      const found = await sensitivityOf(measurer, samples, expected, policy);
      assert.deepEqual(
        found.map(({ node }) => node),
        ['first', 'logits'],
      );
      const all = await share(policy);
      assert.ok(all < 100);
      for (const { node, drop, restored } of found) {
        const other = node === 'first' ? 'logits' : 'first';
        assert.ok(Math.abs(drop - (100 - (await share(excluding(policy, [other]))))) < 1e-9);
        assert.ok(Math.abs(restored - ((await share(excluding(policy, [node]))) - all)) < 1e-9);
      }
    } finally {
      measurer.dispose();
    }
  });
});
