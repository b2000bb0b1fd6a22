// How the actor-critic agent walks the nodes: episodes against the budget.

import assert from 'node:assert/strict';
import { formatScheme, schemeOf } from '../../../../lib/format/scheme.js';
import type { BudgetOptions } from '../../../../lib/policy/budget.js';
import { FEATURES, Walk } from '../../../../lib/search/agents/ddpg.js';
import { Environment } from '../../../../lib/search/environment.js';
import { Random } from '../../../../lib/tensor/random.js';
import { stubJudge } from '../../../support/landscape.js';

const budget = { bits: 5, choices: ['W2A2', 'W4A4', 'W8A8'] };
const environmentOf = (options: BudgetOptions) =>
  new Environment(stubJudge(() => 0.5, options).judge, { objective: 'detrimental', evaluations: 10 });

describe('walk', () => {
  const apart = { bits: 5, choices: ['W2A8', 'W4A4', 'W4A8', 'W8A2', 'W8A8'] };
  const pinned = new Map([['stem.conv', schemeOf(4, 4)]]);

  it('ends inside the budget whatever the actions, pinned nodes and split choices included', () => {
    for (const options of [budget, apart, { ...budget, bits: 4, pinned }]) {
      const environment = environmentOf(options);
      const walk = new Walk(environment);
      const random = new Random(3);
      const episodes = walk.play(50, (situations) => situations.map(() => random.uniform()));
      for (const { candidate, steps } of episodes) {
        assert.ok(environment.space.has(environment.space.policy(candidate)), candidate.map(formatScheme).join(' '));
        assert.equal(steps.length, walk.turns.length);
      }
      assert.ok(new Set(episodes.map(({ candidate }) => candidate.map(formatScheme).join())).size > 10);
    }
  });

  it('retraces any policy, and the same actions lead to it again', () => {
    for (const options of [budget, apart, { ...budget, bits: 4, pinned }]) {
      const environment = environmentOf(options);
      const walk = new Walk(environment);
      const random = new Random(4);
      for (let i = 0; i < 20; i++) {
        const candidate = [...environment.space.sample(random).schemes.values()];
        const episode = walk.retrace(candidate);
        assert.deepEqual(episode.candidate, candidate);
        const [again] = walk.play(1, ([situation]) => [episode.steps[situation?.turn ?? 0]?.action as number]);
        assert.deepEqual(again, episode);
      }
    }
  });

  it('observes what the layer is, what was done last and what the budget leaves', () => {
    const environment = environmentOf({ bits: 6, choices: ['W4A4', 'W8A8'] });
    const walk = new Walk(environment);
    const out = new Float32Array(FEATURES);
    const [episode] = walk.play(1, () => [1]); // eight bits as long as the budget lasts: five nodes
    const of = (turn: number) => {
      walk.observe(
        (episode as NonNullable<typeof episode>).steps[turn]?.situation as never,
        new Float64Array(10).fill(0.25),
        out,
      );
      return Array.from(out);
    };
    assert.deepEqual(of(0).slice(8), [1, 0, 0.5, 0.25]); // half of what ten nodes could spend
    assert.deepEqual(of(5).slice(8), [1, 0, 0, 0.25]);
    assert.deepEqual(of(9).slice(8), [0, 0, 0, 0.25]);
    assert.equal(of(0)[0], 0);
    assert.equal(of(9)[0], 1);
    assert.ok(of(4).every((value) => value >= 0 && value <= 1));
  });
});
