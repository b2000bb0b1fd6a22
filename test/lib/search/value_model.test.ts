// What agents believe and how they walk: the value model against formulas, episodes against the budget.
import assert from 'node:assert/strict';
import { BudgetSpace } from '../../../lib/quant/budget.js';
import { formatBits, type NodeBits } from '../../../lib/quant/policy.js';
import { ActorCritic } from '../../../lib/search/actor_critic.js';
import { Environment } from '../../../lib/search/environment.js';
import { expectedImprovement, noiseCoordinates, ValueModel } from '../../../lib/search/value_model.js';
import { FEATURES, Walk } from '../../../lib/search/walk.js';
import { Random } from '../../../lib/tensor/random.js';
import { GRAPH, stubProblem } from '../../support/landscape.js';

const budget = { bits: 5, choices: ['W2A2', 'W4A4', 'W8A8'] };
const environmentOf = (options: ConstructorParameters<typeof BudgetSpace>[1]) =>
  new Environment(
    stubProblem('worst', () => 0.5, options),
    { evaluations: 10 },
  );

describe('value model', () => {
  const environment = environmentOf(budget);
  const { space } = environment;
  const draw = (random: Random) => [...space.sample(random).bits.values()];
  const additive = (bits: readonly NodeBits[]) =>
    bits.reduce((sum, { weightBits }, node) => sum + (node % 3) * 2 ** -weightBits, 0);

  it('returns to what it saw, and is surer there than elsewhere', () => {
    const model = new ValueModel(space.names.length, noiseCoordinates(environment));
    const random = new Random(1);
    const seen = Array.from({ length: 40 }, () => draw(random));
    for (const candidate of seen) model.observe(candidate, additive(candidate));
    const known = model.predict(seen);
    const values = seen.map(additive);
    const spread = Math.max(...values) - Math.min(...values);
    known.forEach(({ mean }, i) => {
      assert.ok(Math.abs(mean - additive(seen[i] as NodeBits[])) < 0.1 * spread);
    });
    const others = Array.from({ length: 40 }, () => draw(random));
    const average = (of: readonly { deviation: number }[]) => of.reduce((sum, { deviation }) => sum + deviation, 0);
    assert.ok(average(model.predict(others)) > 2 * average(known));
  });

  it('learns which nodes matter: it ranks policies it has not seen', () => {
    const model = new ValueModel(space.names.length, noiseCoordinates(environment));
    const random = new Random(2);
    for (let i = 0; i < 40; i++) {
      const candidate = draw(random);
      model.observe(candidate, additive(candidate));
    }
    const others = Array.from({ length: 100 }, () => draw(random));
    const predicted = model.predict(others).map(({ mean }) => mean);
    let [right, pairs] = [0, 0];
    for (let i = 0; i < others.length; i++) {
      for (let j = 0; j < i; j++) {
        const real = additive(others[i] as NodeBits[]) - additive(others[j] as NodeBits[]);
        if (real === 0) continue;
        pairs += 1;
        if (real > 0 === (predicted[i] as number) > (predicted[j] as number)) right += 1;
      }
    }
    assert.ok(right / pairs > 0.9, `${right} of ${pairs}`);
  });

  it('says 0 ± 1 of everything before it saw anything', () => {
    const model = new ValueModel(space.names.length, noiseCoordinates(environment));
    assert.deepEqual(model.predict([draw(new Random(1))]), [{ mean: 0, deviation: 1 }]);
  });

  it('expects improvement as the integral says', () => {
    for (const [mean, deviation, best] of [
      [1, 0.5, 1.2],
      [0, 2, -1],
      [3, 1, 0],
    ] as const) {
      // Midpoint rule over ten deviations: its own error is far below the 1e-6 compared with.
      const [steps, span] = [20000, 10 * deviation];
      let sum = 0;
      for (let i = 0; i < steps; i++) {
        const x = mean - span + ((i + 0.5) * 2 * span) / steps;
        const density = Math.exp(-(((x - mean) / deviation) ** 2) / 2) / (deviation * Math.sqrt(2 * Math.PI));
        sum += (Math.max(0, x - best) * density * 2 * span) / steps;
      }
      assert.ok(Math.abs(expectedImprovement({ mean, deviation }, best) - sum) < 1e-6);
    }
    assert.equal(expectedImprovement({ mean: 2, deviation: 0 }, 1), 1);
    assert.equal(expectedImprovement({ mean: 0, deviation: 0 }, 1), 0);
  });
});

describe('walk', () => {
  const apart = { bits: 5, choices: ['W2A8', 'W4A4', 'W4A8', 'W8A2', 'W8A8'] };
  const pinned = new Map([['stem.conv', { weightBits: 4, activationBits: 4 }]]);

  it('ends inside the budget whatever the actions, pinned nodes and split choices included', () => {
    for (const options of [budget, apart, { ...budget, bits: 4, pinned }]) {
      const environment = environmentOf(options);
      const walk = new Walk(environment);
      const random = new Random(3);
      const episodes = walk.play(50, (situations) => situations.map(() => random.uniform()));
      for (const { candidate, steps } of episodes) {
        assert.ok(environment.space.has(environment.space.policy(candidate)), candidate.map(formatBits).join(' '));
        assert.equal(steps.length, walk.turns.length);
      }
      assert.ok(new Set(episodes.map(({ candidate }) => candidate.map(formatBits).join())).size > 10);
    }
  });

  it('retraces any policy, and the same actions lead to it again', () => {
    for (const options of [budget, apart, { ...budget, bits: 4, pinned }]) {
      const environment = environmentOf(options);
      const walk = new Walk(environment);
      const random = new Random(4);
      for (let i = 0; i < 20; i++) {
        const candidate = [...environment.space.sample(random).bits.values()];
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

describe('actor and critic', () => {
  it('the actor finds the action that the returns favour in each state', () => {
    const networks = new ActorCritic({ features: 1, hidden: 16, actorRate: 3e-3, criticRate: 1e-2 }, new Random(5));
    const random = new Random(6);
    const count = 64;
    for (let step = 0; step < 600; step++) {
      const states = Float32Array.from({ length: count }, () => random.integer(2));
      const actions = Float32Array.from({ length: count }, () => random.uniform());
      const returns = actions.map((action, i) => -8 * (action - (states[i] === 1 ? 0.8 : 0.2)) ** 2);
      networks.learn(states, actions, returns);
    }
    const [low, high] = networks.act(Float32Array.of(0, 1));
    assert.ok(Math.abs((low as number) - 0.2) < 0.15 && Math.abs((high as number) - 0.8) < 0.15, `${low}, ${high}`);
  });
});

describe('BudgetSpace.draw', () => {
  it('draws policies as often as their weights say, given the budget', () => {
    const space = new BudgetSpace(GRAPH, { bits: 7.6, choices: ['W4A4', 'W8A8'] }); // one node of ten at four bits
    const odds = [1, 2, 3, 4, 5, 1, 1, 1, 1, 1];
    const total = odds.reduce((sum, each) => sum + each, 0);
    const counts = new Float64Array(10);
    const random = new Random(8);
    const draws = 4000;
    for (let i = 0; i < draws; i++) {
      const bits = space.draw((node, { weightBits }) => (weightBits === 4 ? (odds[node] as number) : 1), random);
      assert.ok(bits);
      const at = bits.findIndex(({ weightBits }) => weightBits === 4);
      counts[at] = (counts[at] as number) + 1;
    }
    counts.forEach((count, node) => {
      const p = (odds[node] as number) / total;
      assert.ok(Math.abs(count / draws - p) < 5 * Math.sqrt((p * (1 - p)) / draws), `node ${node}: ${count}`); // 5 sigma
    });
    assert.equal(
      space.draw((_, { weightBits }) => (weightBits === 4 ? 0 : 1), random),
      undefined,
    );
  });
});
