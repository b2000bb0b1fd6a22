// Agents on landscapes whose optimum is known, and what holds for all of them.

import assert from 'node:assert/strict';
import type { Scheme } from '../../../lib/format/scheme.js';
import { formatPolicy } from '../../../lib/policy/policy.js';
import { agentNamed, agentsOf } from '../../../lib/search/agents/index.js';
import { noise } from '../../../lib/search/climb.js';
import type { Objective } from '../../../lib/search/judge.js';
import { Random } from '../../../lib/tensor/random.js';
import { stubJudge } from '../../support/landscape.js';

const NODES = 10;
const POLICIES = 252;

/** Damage of four bits in each node, seeded. */
function damages(seed: number): number[] {
  const random = new Random(seed);
  return Array.from({ length: NODES }, () => random.uniform(0, 0.1));
}

const additive = (seed: number) => (bits: readonly Scheme[]) =>
  1 - damages(seed).reduce((sum, damage, i) => sum + (bits[i]?.weights.format.bits === 4 ? damage : 0), 0);

/** The measure of the policy that lowers the five nodes of most or least damage. */
function optimum(seed: number, objective: Objective): number {
  const sorted = damages(seed).sort((a, b) => (objective === 'detrimental' ? b - a : a - b));
  return 1 - sorted.slice(0, NODES / 2).reduce((sum, damage) => sum + damage, 0);
}

const close = (a: number, b: number) => Math.abs(a - b) < 1e-12; // sums of ten numbers below one in another order

describe('search agents', () => {
  for (const agent of agentsOf('static').values()) {
    const evaluations = agent.name === 'exhaustive' ? POLICIES : 40;

    it(`${agent.name}: counts what it evaluates, each policy once, and stays inside its evaluations`, async () => {
      const { judge, asked, space } = stubJudge(additive(1));
      const result = await agent.search(judge, { objective: 'detrimental', evaluations, seed: 3 });
      assert.equal(result.evaluations, asked.length);
      assert.ok(result.evaluations <= evaluations);
      assert.equal(new Set(asked.map(formatPolicy)).size, asked.length);
      assert.ok(space.has(result.policy));
      const inBudget = asked.filter((policy) => space.has(policy));
      const values = inBudget.map(({ schemes }) => additive(1)([...schemes.values()]));
      assert.equal(result.value, Math.min(...values));
    });

    it(`${agent.name}: the history ends where the search does and only improves`, async () => {
      const { judge } = stubJudge(additive(2));
      const { history, evaluations: used, value } = await agent.search(judge, { objective: 'robust', evaluations });
      assert.equal(history.at(-1)?.evaluations, used);
      assert.equal(history.at(-1)?.best, value);
      for (let i = 1; i < history.length; i++) {
        const [before, after] = [history[i - 1], history[i]];
        assert.ok((after?.evaluations as number) > (before?.evaluations as number));
        assert.ok((after?.best as number) >= (before?.best as number));
      }
    });

    it(`${agent.name}: is a function of its seed`, async () => {
      const run = async (seed: number) => {
        const { judge, asked } = stubJudge(additive(4));
        const result = await agent.search(judge, { objective: 'detrimental', evaluations, seed });
        return { result, asked: asked.map(formatPolicy) };
      };
      assert.deepEqual(await run(5), await run(5));
    });

    it(`${agent.name}: stops when aborted, and reports what it found until then`, async () => {
      const abort = new AbortController();
      let reports = 0;
      const { judge, asked } = stubJudge(additive(1), undefined, 2 ** 18); // one policy at a time
      const onProgress = () => {
        reports += 1;
        abort.abort(new Error('enough'));
      };
      const options = { objective: 'detrimental', evaluations, signal: abort.signal, onProgress } as const;
      await assert.rejects(agent.search(judge, options), /enough/);
      assert.equal(reports, 1);
      assert.equal(asked.length, 1);
    });

    it(`${agent.name}: ends when a small space is used up`, async () => {
      const tiny = { bits: 7.6, choices: ['W4A4', 'W8A8'] }; // one node of ten at four bits
      const { judge } = stubJudge(additive(6), tiny);
      const { value } = await agent.search(judge, { objective: 'detrimental', evaluations: 1000 });
      assert.ok(close(value, 1 - Math.max(...damages(6))));
    });
  }

  it('random draws differ with the seed', async () => {
    const of = async (seed: number) => {
      const { judge, asked } = stubJudge(additive(1));
      await agentNamed('random').search(judge, { objective: 'detrimental', evaluations: 40, seed });
      return asked.map(formatPolicy);
    };
    assert.notDeepEqual(await of(1), await of(2));
  });

  for (const objective of ['detrimental', 'robust'] as const) {
    for (const name of ['exhaustive', 'greedy']) {
      it(`${name} finds the ${objective} policy where damages add up`, async () => {
        for (const seed of [1, 2, 3]) {
          const evaluations = name === 'exhaustive' ? POLICIES : 40;
          const { value } = await agentNamed(name).search(stubJudge(additive(seed)).judge, { objective, evaluations });
          assert.ok(
            close(value, optimum(seed, objective)),
            `seed ${seed}: ${value}, optimum ${optimum(seed, objective)}`,
          );
        }
      });
    }
  }

  for (const agent of agentsOf('static').values()) {
    if (agent.name === 'exhaustive') continue;
    it(`${agent.name}: meets the budget however few its evaluations`, async () => {
      for (const evaluations of [1, 2, 3, 5, 11, 12, 20]) {
        for (const weighting of ['nodes', 'weights'] as const) {
          const budget = { bits: 6, tolerance: 0.05, choices: ['W4A4', 'W8A8'], weighting };
          const { judge, space, asked } = stubJudge(additive(1), budget);
          const result = await agent.search(judge, { objective: 'detrimental', evaluations });
          assert.ok(space.has(result.policy));
          assert.equal(asked.length, evaluations);
        }
      }
    });
  }

  it('greedy decides several nodes a sweep where evaluations are few', async () => {
    const { judge } = stubJudge(additive(1));
    const enough = await agentNamed('greedy').search(judge, { objective: 'detrimental', evaluations: 11 });
    assert.ok(close(enough.value, optimum(1, 'detrimental'))); // a sweep and its conclusion suffice where damages add up
  });

  it('greedy meets budgets of many bit widths, weights and activations apart', async () => {
    const choices = ['W2A2', 'W2A8', 'W3A5', 'W4A4', 'W5A3', 'W8A2', 'W8A8'];
    const measure = (bits: readonly Scheme[]) =>
      1 - bits.reduce((sum, scheme, i) => sum + (i + 1) * noise(scheme), 0) / 20;
    for (const objective of ['detrimental', 'robust'] as const) {
      for (const weighting of ['nodes', 'weights', 'macs'] as const) {
        const { judge } = stubJudge(measure, {
          bits: 5,
          tolerance: weighting === 'nodes' ? 0 : 0.01,
          choices,
          weighting,
        });
        const drawn = await agentNamed('random').search(judge, { objective, evaluations: 60 });
        const { value } = await agentNamed('greedy').search(judge, { objective, evaluations: 60 });
        assert.ok(objective === 'detrimental' ? value < drawn.value : value > drawn.value, `${objective} ${weighting}`);
      }
    }
  });

  it('exhaustive refuses spaces larger than its evaluations, before any', async () => {
    const { judge, asked } = stubJudge(additive(1));
    await assert.rejects(
      agentNamed('exhaustive').search(judge, { objective: 'detrimental', evaluations: 251 }),
      /all 252 policies/,
    );
    assert.equal(asked.length, 0);
  });

  it('a start is evaluated first and counted; one outside of the budget is refused', async () => {
    const { judge, space, asked } = stubJudge(additive(1));
    const start = [space.sample(new Random(9))];
    await agentNamed('random').search(judge, { objective: 'detrimental', evaluations: 10, start });
    assert.equal(formatPolicy(asked[0] as (typeof start)[0]), formatPolicy(start[0] as (typeof start)[0]));
    assert.equal(asked.length, 10);
    const other = stubJudge(additive(1), { bits: 7.6, choices: ['W4A4', 'W8A8'] }).judge;
    await assert.rejects(
      agentNamed('random').search(other, { objective: 'detrimental', evaluations: 10, start }),
      /start: expected policies of the budget/,
    );
  });

  it('exhaustive: what it was started with is not evaluated again', async () => {
    const { judge, space } = stubJudge(additive(1));
    const start = [space.sample(new Random(9))];
    const { evaluations } = await agentNamed('exhaustive').search(judge, {
      objective: 'detrimental',
      evaluations: POLICIES,
      start,
    });
    assert.equal(evaluations, POLICIES);
  });

  it('an unknown agent is refused with the names there are', () => {
    assert.throws(() => agentNamed('oracle'), /expected bayes, .*received oracle/);
  });
});
