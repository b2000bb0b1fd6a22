// The value model against formulas.
import assert from 'node:assert/strict';
import type { Scheme } from '../../../lib/format/scheme.js';
import type { BudgetOptions } from '../../../lib/policy/budget.js';
import { Environment } from '../../../lib/search/environment.js';
import { expectedImprovement, noiseCoordinates, ValueModel } from '../../../lib/search/value_model.js';
import { Random } from '../../../lib/tensor/random.js';
import { stubJudge } from '../../support/landscape.js';

const budget = { bits: 5, choices: ['W2A2', 'W4A4', 'W8A8'] };
const environmentOf = (options: BudgetOptions) =>
  new Environment(stubJudge(() => 0.5, options).judge, { objective: 'detrimental', evaluations: 10 });

describe('value model', () => {
  const environment = environmentOf(budget);
  const { space } = environment;
  const draw = (random: Random) => [...space.sample(random).schemes.values()];
  const additive = (bits: readonly Scheme[]) =>
    bits.reduce((sum, { weights }, node) => sum + (node % 3) * 2 ** -weights.format.bits, 0);

  it('returns to what it saw, and is surer there than elsewhere', () => {
    const model = new ValueModel(space.names.length, noiseCoordinates(environment));
    const random = new Random(1);
    const seen = Array.from({ length: 40 }, () => draw(random));
    for (const candidate of seen) model.observe(candidate, additive(candidate));
    const known = model.predict(seen);
    const values = seen.map(additive);
    const spread = Math.max(...values) - Math.min(...values);
    known.forEach(({ mean }, i) => {
      assert.ok(Math.abs(mean - additive(seen[i] as Scheme[])) < 0.1 * spread);
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
        const real = additive(others[i] as Scheme[]) - additive(others[j] as Scheme[]);
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
