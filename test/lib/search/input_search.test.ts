// The agent's parts by themselves, then the whole search on a small network.
import assert from 'node:assert/strict';
import { evaluatePolicies } from '../../../lib/quant/evaluate_policies.js';
import { effectiveBits } from '../../../lib/quant/policy.js';
import { GATE_DEFAULTS, trainGate } from '../../../lib/search/agents/gate.js';
import { makeActor, PPO_DEFAULTS, PpoAgent } from '../../../lib/search/agents/ppo.js';
import { complementary } from '../../../lib/search/candidates.js';
import { commonest, evaluateControls, shuffleOptions } from '../../../lib/search/controls.js';
import { inputPolicyToJson } from '../../../lib/search/input_policy_json.js';
import { type InputSearchOptions, searchInputPolicy } from '../../../lib/search/input_search.js';
import { Runner, withReference } from '../../../lib/search/runner.js';
import { Random } from '../../../lib/tensor/random.js';
import { blobs, budget, graph } from '../../support/blobs.js';

const train = blobs(400, 1);
const validation = blobs(200, 2);
const SMALL: InputSearchOptions = {
  budget,
  objective: 'detrimental',
  seed: 3,
  grid: 4,
  candidates: 4,
  screened: 50,
  compared: 200,
  gate: { hidden: 16, epochs: 4, batchSize: 64 },
  ppo: { iterations: 3, inputs: 32, hidden: 16 },
};

/** Of the magnitude of a normal number. */
const MEDIAN = 0.6745;

describe('candidates', () => {
  it('complement each other, the most useful first', () => {
    // Three groups; policy 3 is best overall, each of the others in one group.
    const sums = [
      [0, 7, 0, 5],
      [0, 0, 4.5, 2],
      [2, 0, 0, 1],
    ].map((row) => Float64Array.from(row));
    assert.deepEqual(complementary(sums, 4, 3), [3, 2, 1]);
    const better = sums.map((row) => Float64Array.from(row.slice(0, 3)));
    assert.deepEqual(complementary(better, 3, 3), [1, 2, 0]);
    assert.deepEqual(complementary(better, 3, 9), [1, 2, 0]);
  });
});

describe('the gate', () => {
  it('learns which candidate a sample asks for where each by itself is right for half', async () => {
    const random = new Random(1);
    const samples = 512;
    const features = Float32Array.from({ length: samples * 4 }, () => random.normal());
    const wanted = Int32Array.from({ length: samples }, (_, i) =>
      Math.abs(features[i * 4] as number) > MEDIAN ? 1 : 0,
    );
    const rewards = new Float32Array(samples * 2);
    wanted.forEach((own, i) => {
      rewards[i * 2 + own] = 1;
    });
    const options = { ...GATE_DEFAULTS, hidden: 16, epochs: 40, batchSize: 64, rate: 1e-2, seed: 0 };
    const gate = await trainGate(features, rewards, 2, options);
    const scores = gate.forward(features, samples);
    const right = wanted.filter((own, i) => (scores[i * 2 + own] as number) > (scores[i * 2 + 1 - own] as number));
    // Both ends of a feature ask for the same: no linear gate does better than half.
    assert.ok(right.length > 0.9 * samples, `${right.length} of ${samples}`);
  });
});

describe('the agent', () => {
  for (const rollouts of [4, 1]) {
    it(`earns more as it learns, with ${rollouts} roll-outs a sample`, async () => {
      const data = await withReference(graph, train);
      const runner = new Runner(graph);
      const { policy: start } = await searchInputPolicy(graph, train, validation, { ...SMALL, ppo: { iterations: 0 } });
      // From nothing: no candidate pulls.
      const bare = start.with({ candidates: [], gate: undefined });
      const options = {
        ...PPO_DEFAULTS,
        objective: 'detrimental',
        iterations: 24,
        inputs: 64,
        rollouts,
        seed: 1,
      } as const;
      const agent = new PpoAgent(bare.with({ actor: makeActor(bare, 16, 1) }), options);
      const rewards: number[] = [];
      for (let i = 0; i < options.iterations; i++) rewards.push(await agent.iterate(runner, data));
      const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
      const [early, late] = [mean(rewards.slice(0, 6)), mean(rewards.slice(-6))];
      assert.ok(late > early, `${early} → ${late}`);
      runner.dispose();
    });
  }
});

describe('searchInputPolicy', () => {
  it('gives the same policy from the same seed', async () => {
    const runs = [await searchInputPolicy(graph, train, validation, SMALL)];
    runs.push(await searchInputPolicy(graph, train, validation, SMALL));
    const [a, b] = runs.map(({ policy, history }) => ({ policy: inputPolicyToJson(policy), history }));
    assert.deepEqual(b, a);
  });

  it('lets labels out of the search', async () => {
    const other = { ...train, labels: Int32Array.from(train.labels as Int32Array, (label) => 3 - label) };
    const [a, b] = [
      await searchInputPolicy(graph, train, validation, SMALL),
      await searchInputPolicy(graph, other, { ...validation, labels: undefined }, SMALL),
    ];
    assert.deepEqual(inputPolicyToJson(b.policy), inputPolicyToJson(a.policy));
  });

  it('finds the worst static policy of a space it can enumerate, on what it was chosen on', async () => {
    const { bestStatic, policy } = await searchInputPolicy(graph, train, validation, {
      ...SMALL,
      ppo: { iterations: 0 },
    });
    const all = [...policy.space.all()].map((own) => policy.space.decode(own));
    const data = await withReference(graph, validation);
    const agreements = (await evaluatePolicies(graph, all, data)).map(({ agreement }) => agreement as number);
    const [own] = await evaluatePolicies(graph, [bestStatic], data);
    assert.equal(own?.agreement, Math.min(...agreements));
  });

  it('draws a pool where there are more policies than it may try', async () => {
    const options = { ...SMALL, pool: 6, ppo: { iterations: 0 } };
    const { policy } = await searchInputPolicy(graph, train, validation, options);
    assert.ok(policy.candidates.length > 1);
    for (const own of policy.candidates) {
      assert.equal(effectiveBits(graph, policy.space.decode(own), { counted: 'activations' }), budget.bits);
    }
  });

  it('harms or helps as it is told', async () => {
    const both = await Promise.all(
      (['detrimental', 'robust'] as const).map(async (objective) => {
        const { policy } = await searchInputPolicy(graph, train, validation, { ...SMALL, objective });
        const runner = new Runner(graph);
        const { agreement } = await runner.evaluate(policy, await withReference(graph, train));
        runner.dispose();
        return agreement as number;
      }),
    );
    assert.ok((both[0] as number) < (both[1] as number), both.join(', '));
  });

  it('stops when called off, with the reason', async () => {
    const reason = new Error('enough');
    const abort = new AbortController();
    const onStage = (stage: string) => stage === 'gate' && abort.abort(reason);
    const run = searchInputPolicy(graph, train, validation, { ...SMALL, signal: abort.signal, onStage });
    await assert.rejects(run, (error) => error === reason);
  });
});

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
    const { policy, bestStatic } = await searchInputPolicy(graph, train, validation, SMALL);
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
