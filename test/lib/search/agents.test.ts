// Agents on landscapes whose optimum is known, and what holds for all of them.
import assert from 'node:assert/strict';
import { formatPolicy, type NodeBits } from '../../../lib/quant/policy.js';
import { AGENTS, agentNamed } from '../../../lib/search/agents/index.js';
import type { Goal } from '../../../lib/search/judge.js';
import { Random } from '../../../lib/tensor/random.js';
import { stubProblem } from '../../support/landscape.js';

const NODES = 10;
const POLICIES = 252;

/** Damage of four bits in each node, seeded. */
function damages(seed: number): number[] {
  const random = new Random(seed);
  return Array.from({ length: NODES }, () => random.uniform(0, 0.1));
}

const additive = (seed: number) => (bits: readonly NodeBits[]) =>
  1 - damages(seed).reduce((sum, damage, i) => sum + (bits[i]?.weightBits === 4 ? damage : 0), 0);

/** The measure of the policy that lowers the five nodes of most or least damage. */
function optimum(seed: number, goal: Goal): number {
  const sorted = damages(seed).sort((a, b) => (goal === 'worst' ? b - a : a - b));
  return 1 - sorted.slice(0, NODES / 2).reduce((sum, damage) => sum + damage, 0);
}

const close = (a: number, b: number) => Math.abs(a - b) < 1e-12; // sums of ten numbers below one in another order

describe('search agents', () => {
  for (const agent of AGENTS.values()) {
    const evaluations = agent.name === 'exhaustive' ? POLICIES : 40;

    it(`${agent.name}: counts what it evaluates, each policy once, and stays inside its evaluations`, async () => {
      const problem = stubProblem('worst', additive(1));
      const result = await agent.search(problem, { evaluations, seed: 3 });
      assert.equal(result.evaluations, problem.asked.length);
      assert.ok(result.evaluations <= evaluations);
      assert.equal(new Set(problem.asked.map(formatPolicy)).size, problem.asked.length);
      assert.ok(problem.space.has(result.policy));
      const inBudget = problem.asked.filter((policy) => problem.space.has(policy));
      const values = inBudget.map(({ bits }) => additive(1)([...bits.values()]));
      assert.equal(result.value, Math.min(...values));
    });

    it(`${agent.name}: the history ends where the search does and only improves`, async () => {
      const {
        history,
        evaluations: used,
        value,
      } = await agent.search(stubProblem('best', additive(2)), { evaluations });
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
        const problem = stubProblem('worst', additive(4));
        const result = await agent.search(problem, { evaluations, seed });
        return { result, asked: problem.asked.map(formatPolicy) };
      };
      assert.deepEqual(await run(5), await run(5));
    });

    it(`${agent.name}: stops when called off, and tells what it found until then`, async () => {
      const abort = new AbortController();
      let told = 0;
      const problem = stubProblem('worst', additive(1));
      const onProgress = () => {
        told += 1;
        abort.abort(new Error('enough'));
      };
      const slow = { ...problem, samples: 2 ** 18 }; // one policy at a time
      await assert.rejects(agent.search(slow, { evaluations, signal: abort.signal, onProgress }), /enough/);
      assert.equal(told, 1);
      assert.equal(problem.asked.length, 1);
    });

    it(`${agent.name}: ends when a small space is used up`, async () => {
      const tiny = { bits: 7.6, choices: ['W4A4', 'W8A8'] }; // one node of ten at four bits
      const problem = stubProblem('worst', additive(6), tiny);
      const { value } = await agent.search(problem, { evaluations: 1000 });
      assert.ok(close(value, 1 - Math.max(...damages(6))));
    });
  }

  it('random draws differ with the seed', async () => {
    const of = async (seed: number) => {
      const problem = stubProblem('worst', additive(1));
      await agentNamed('random').search(problem, { evaluations: 40, seed });
      return problem.asked.map(formatPolicy);
    };
    assert.notDeepEqual(await of(1), await of(2));
  });

  for (const goal of ['worst', 'best'] as const) {
    for (const name of ['exhaustive', 'greedy']) {
      it(`${name} finds the ${goal} policy where damages add up`, async () => {
        for (const seed of [1, 2, 3]) {
          const evaluations = name === 'exhaustive' ? POLICIES : 40;
          const { value } = await agentNamed(name).search(stubProblem(goal, additive(seed)), { evaluations });
          assert.ok(close(value, optimum(seed, goal)), `seed ${seed}: ${value}, optimum ${optimum(seed, goal)}`);
        }
      });
    }
  }

  for (const agent of AGENTS.values()) {
    if (agent.name === 'exhaustive') continue;
    it(`${agent.name}: meets the budget however few its evaluations`, async () => {
      for (const evaluations of [1, 2, 3, 5, 11, 12, 20]) {
        for (const weighting of ['nodes', 'weights'] as const) {
          const budget = { bits: 6, tolerance: 0.05, choices: ['W4A4', 'W8A8'], weighting };
          const problem = stubProblem('worst', additive(1), budget);
          const result = await agent.search(problem, { evaluations });
          assert.ok(problem.space.has(result.policy));
          assert.equal(problem.asked.length, evaluations);
        }
      }
    });
  }

  it('greedy decides several nodes a sweep where evaluations are few', async () => {
    const enough = await agentNamed('greedy').search(stubProblem('worst', additive(1)), { evaluations: 11 });
    assert.ok(close(enough.value, optimum(1, 'worst'))); // a sweep and its conclusion suffice where damages add up
  });

  it('greedy meets budgets of many bit widths, weights and activations apart', async () => {
    const choices = ['W2A2', 'W2A8', 'W3A5', 'W4A4', 'W5A3', 'W8A2', 'W8A8'];
    const measure = (bits: readonly NodeBits[]) =>
      1 -
      bits.reduce(
        (sum, { weightBits, activationBits }, i) => sum + (i + 1) * (4 ** -weightBits + 4 ** -activationBits),
        0,
      ) /
        20;
    for (const goal of ['worst', 'best'] as const) {
      for (const weighting of ['nodes', 'weights', 'macs'] as const) {
        const problem = stubProblem(goal, measure, {
          bits: 5,
          tolerance: weighting === 'nodes' ? 0 : 0.01,
          choices,
          weighting,
        });
        const drawn = await agentNamed('random').search(problem, { evaluations: 60 });
        const { value } = await agentNamed('greedy').search(problem, { evaluations: 60 });
        assert.ok(goal === 'worst' ? value < drawn.value : value > drawn.value, `${goal} ${weighting}`);
      }
    }
  });

  it('exhaustive refuses spaces larger than its evaluations, before any', async () => {
    const problem = stubProblem('worst', additive(1));
    await assert.rejects(agentNamed('exhaustive').search(problem, { evaluations: 251 }), /all 252 policies/);
    assert.equal(problem.asked.length, 0);
  });

  it('a start is evaluated first and counted; one outside of the budget is refused', async () => {
    const problem = stubProblem('worst', additive(1));
    const start = [problem.space.sample(new Random(9))];
    await agentNamed('random').search(problem, { evaluations: 10, start });
    assert.equal(formatPolicy(problem.asked[0] as (typeof start)[0]), formatPolicy(start[0] as (typeof start)[0]));
    assert.equal(problem.asked.length, 10);
    const other = stubProblem('worst', additive(1), { bits: 7.6, choices: ['W4A4', 'W8A8'] });
    await assert.rejects(
      agentNamed('random').search(other, { evaluations: 10, start }),
      /start: expected policies of the budget/,
    );
  });

  it('exhaustive: what it was started with is not evaluated again', async () => {
    const problem = stubProblem('worst', additive(1));
    const start = [problem.space.sample(new Random(9))];
    const { evaluations } = await agentNamed('exhaustive').search(problem, { evaluations: POLICIES, start });
    assert.equal(evaluations, POLICIES);
  });

  it('an unknown agent is refused with the names there are', () => {
    assert.throws(() => agentNamed('oracle'), /expected random, .*received oracle/);
  });
});
