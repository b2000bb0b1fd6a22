// What holds for every static agent, on landscapes whose optimum is known.
import assert from 'node:assert/strict';
import { formatPolicy } from '../../../../lib/policy/policy.js';
import { agentNamed, agentsOf } from '../../../../lib/search/agents/index.js';
import { additive, close, damages, POLICIES, stubJudge } from '../../../support/landscape.js';

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

  it('an unknown agent is refused with the names there are', () => {
    assert.throws(() => agentNamed('oracle'), /expected bayes, .*received oracle/);
  });
});
