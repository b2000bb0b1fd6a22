// What a policy by input is set beside.
import assert from 'node:assert/strict';
import { ppoWith } from '../../../lib/search/agents/ppo.js';
import { commonest, evaluateControls, shuffleOptions } from '../../../lib/search/controls.js';
import { Random } from '../../../lib/tensor/random.js';
import { blobs, graph, SMALL, SMALL_PPO } from '../../support/blobs.js';

const train = blobs(400, 1);
const validation = blobs(200, 2);

describe('controls', () => {
  it('shuffle whole rows of bits', () => {
    const options = Uint8Array.from({ length: 30 }, (_, i) => i);
    const shuffled = shuffleOptions(options, 3, new Random(1));
    const rows = (values: Uint8Array) => Array.from({ length: 10 }, (_, i) => values.subarray(i * 3, i * 3 + 3).join());
    assert.notDeepEqual(rows(shuffled), rows(options));
    assert.deepEqual(rows(shuffled).sort(), rows(options).sort());
  });

  it('find the commonest row', () => {
    const { row, share, policies } = commonest(Uint8Array.from([1, 2, 0, 1, 1, 2, 2, 2]), 2);
    assert.deepEqual({ row: Array.from(row), share, policies }, { row: [1, 2], share: 0.5, policies: 3 });
  });

  it('put the oracle at least as far as every static policy, on the same samples', async () => {
    const { policy, bestStatic } = await ppoWith(SMALL_PPO).search(graph, train, validation, SMALL);
    const options = { objective: 'detrimental', seed: 1 } as const;
    const controls = await evaluateControls(graph, policy, bestStatic, validation, options);
    const { oracle, agent, openLoop, bestStatic: fixed, shuffled, labelOracle } = controls;
    for (const { agreement } of [agent, openLoop, fixed, shuffled]) {
      assert.ok((oracle?.agreement as number) <= (agreement as number));
    }
    assert.ok((labelOracle?.accuracy as number) <= (oracle?.accuracy as number));
    const again = await evaluateControls(graph, policy, bestStatic, validation, options);
    assert.deepEqual(again, controls);
    const none = await evaluateControls(graph, policy, bestStatic, validation, { ...options, oraclePolicies: 0 });
    assert.deepEqual(none, { ...controls, oracle: undefined, labelOracle: undefined });
  });
});
