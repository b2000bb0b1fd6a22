// Local search: neighbours against all policies of the space, noise, and additive estimates.
import assert from 'node:assert/strict';
import { parseScheme } from '../../../lib/format/scheme.js';
import { cheapest, costliest, neighbours, noise, spreadEffects } from '../../../lib/search/climb.js';
import { Environment } from '../../../lib/search/environment.js';
import { keyOf, schemesOf } from '../../../lib/search/space.js';
import { additive, stubJudge } from '../../support/landscape.js';

describe('climbing', () => {
  const { judge, space } = stubJudge(additive(1));
  const environment = new Environment(judge, { objective: 'robust', evaluations: 1 });
  const all = [...space.policies()].map(schemesOf);
  const [W4A4, W8A8] = [parseScheme('W4A4'), parseScheme('W8A8')];

  it('neighbours are the policies of the budget that differ in one node or two', () => {
    const from = all[100] as (typeof all)[0];
    const expected = all.filter((other) => {
      const distance = other.filter((bits, node) => bits !== from[node]).length;
      return distance === 1 || distance === 2;
    });
    assert.deepEqual(neighbours(environment, from).map(keyOf).sort(), expected.map(keyOf).sort());
    assert.equal(expected.length, 25); // five nodes go down, five up
  });

  it('noise is that of uniform rounding: four times as much a bit', () => {
    assert.equal(noise(W4A4), 2 * 4 ** -4);
    assert.equal(noise(parseScheme('W2A8')), 4 ** -2 + 4 ** -8);
  });

  it('estimates are the effects at the ends, and their share of the noise between', () => {
    const [high, low] = [costliest(environment), cheapest(environment)];
    assert.ok(high.every((bits) => bits === W8A8) && low.every((bits) => bits === W4A4));
    const effects = high.map((_, node) => node + 1);
    const estimate = spreadEffects(effects, high, low);
    high.forEach((bits, node) => {
      assert.equal(estimate(node, bits), 0);
      assert.equal(estimate(node, low[node] ?? bits), node + 1);
    });
    const between = parseScheme('W4A8'); // half of the noise of W4A4 and of W8A8
    assert.equal(estimate(2, between), 1.5);
    assert.equal(spreadEffects(effects, high, high)(2, W4A4), 0);
  });
});
