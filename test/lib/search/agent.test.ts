// What every agent is: one of each kind defined through the public interface, and what holds for all that choose by input.
import assert from 'node:assert/strict';
import { BudgetSpace } from '../../../lib/policy/budget.js';
import { effectiveBits } from '../../../lib/policy/effective_bits.js';
import { evaluatePolicies } from '../../../lib/runtime/evaluate_policies.js';
import { defineAgent } from '../../../lib/search/agent.js';
import { gateWith } from '../../../lib/search/agents/gate.js';
import { ppoWith } from '../../../lib/search/agents/ppo.js';
import { inputPolicyToJson } from '../../../lib/search/input_policy_json.js';
import { Judge } from '../../../lib/search/judge.js';
import { InputPolicyRunner, withReference } from '../../../lib/search/runner.js';
import { searchPolicy } from '../../../lib/search/search.js';
import { schemesOf } from '../../../lib/search/space.js';
import { blobs, budget, graph, SMALL, SMALL_GATE, SMALL_PPO } from '../../support/blobs.js';

const train = blobs(400, 1);
const validation = blobs(200, 2);
const gate = gateWith(SMALL_GATE);
const ppo = ppoWith(SMALL_PPO);

describe('defineAgent', () => {
  const first = defineAgent({
    kind: 'static',
    name: 'first',
    description: 'the first policy of the budget',
    play: async (environment) => {
      const [policy] = environment.space.policies();
      if (policy) await environment.evaluate([schemesOf(policy)]);
    },
  });
  const only = defineAgent({
    kind: 'input',
    name: 'only',
    description: 'the best static policy for every input',
    play: async (environment, select) => {
      const { candidates } = await environment.candidates();
      await select(environment.see().base.with({ candidates: candidates.slice(0, 1) }));
    },
  });

  it('makes a static agent of what it plays', async () => {
    const space = new BudgetSpace(graph, budget);
    const data = await withReference(graph, train);
    const judge = Judge.onIntegers(graph, space, data);
    const { policy, agent, evaluations } = await first.search(judge, { objective: 'robust', evaluations: 9 });
    assert.deepEqual([agent, evaluations], ['first', 1]);
    assert.deepEqual(policy, [...space.policies()][0]);
    judge.dispose();
    const options = { objective: 'robust', budget, agent: first, baselines: [], evaluations: 9 } as const;
    const report = await searchPolicy(graph, { searched: train }, options);
    assert.deepEqual(
      report.agents.map(({ agent: name }) => name),
      ['first', 'exhaustive'],
    );
  });

  it('makes an agent by input of what it plays', async () => {
    const { policy, history } = await only.search(graph, train, validation, SMALL);
    assert.equal(policy.candidates.length, 1);
    assert.equal(history.length, 1);
    await assert.rejects(
      only.learner(undefined as never),
      /agent: expected one that can learn beside a network, received only/,
    );
  });

  it('refuses agents that end without a policy', async () => {
    const idle = { name: 'idle', description: '', play: async () => undefined };
    const judge = Judge.onIntegers(graph, new BudgetSpace(graph, budget), await withReference(graph, train));
    const search = defineAgent({ ...idle, kind: 'static' }).search(judge, { objective: 'robust', evaluations: 1 });
    await assert.rejects(search, /idle: ended without a policy of the budget/);
    judge.dispose();
    await assert.rejects(
      defineAgent({ ...idle, kind: 'input' }).search(graph, train, validation, SMALL),
      /without a policy/,
    );
  });
});

describe('agents by input', () => {
  it('gives the same policy from the same seed', async () => {
    const runs = [await ppo.search(graph, train, validation, SMALL)];
    runs.push(await ppo.search(graph, train, validation, SMALL));
    const [a, b] = runs.map(({ policy, history }) => ({ policy: inputPolicyToJson(policy), history }));
    assert.deepEqual(b, a);
  });

  it('lets labels out of the search', async () => {
    const other = { ...train, labels: Int32Array.from(train.labels as Int32Array, (label) => 3 - label) };
    const [a, b] = [
      await ppo.search(graph, train, validation, SMALL),
      await ppo.search(graph, other, { ...validation, labels: undefined }, SMALL),
    ];
    assert.deepEqual(inputPolicyToJson(b.policy), inputPolicyToJson(a.policy));
  });

  it('finds the worst static policy of a space it can enumerate, on what it was chosen on', async () => {
    const { bestStatic, policy } = await gate.search(graph, train, validation, SMALL);
    const all = [...policy.space.all()].map((own) => policy.space.decode(own));
    const data = await withReference(graph, validation);
    const agreements = (await evaluatePolicies(graph, all, data)).map(({ agreement }) => agreement as number);
    const [own] = await evaluatePolicies(graph, [bestStatic], data);
    assert.equal(own?.agreement, Math.min(...agreements));
  });

  it('draws a pool where there are more policies than it may try', async () => {
    const options = { ...SMALL, pool: 6 };
    const { policy } = await gate.search(graph, train, validation, options);
    assert.ok(policy.candidates.length > 1);
    for (const own of policy.candidates) {
      assert.equal(effectiveBits(graph, policy.space.decode(own), { counted: 'activations' }), budget.bits);
    }
  });

  it('harms or helps as its objective says', async () => {
    const both = await Promise.all(
      (['detrimental', 'robust'] as const).map(async (objective) => {
        const { policy } = await ppo.search(graph, train, validation, { ...SMALL, objective });
        const runner = new InputPolicyRunner(graph);
        const { agreement } = await runner.evaluate(policy, await withReference(graph, train));
        runner.dispose();
        return agreement as number;
      }),
    );
    assert.ok((both[0] as number) < (both[1] as number), both.join(', '));
  });

  it('stops when aborted, with the reason', async () => {
    const reason = new Error('enough');
    const abort = new AbortController();
    const onStage = (stage: string) => stage === 'gate' && abort.abort(reason);
    const run = ppo.search(graph, train, validation, { ...SMALL, signal: abort.signal, onStage });
    await assert.rejects(run, (error) => error === reason);
  });
});
