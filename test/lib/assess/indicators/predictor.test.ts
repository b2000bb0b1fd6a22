// The predictor of drops: what it fits, which indicators it chooses, what it says of networks that it never saw.
import assert from 'node:assert/strict';
import {
  chooseIndicators,
  fitPredictor,
  heldOut,
  isotonic,
  predictDrop,
  termLabels,
  worseness,
} from '../../../../lib/assess/indicators/predictor.js';
import { InvalidArgumentError } from '../../../../lib/core/errors.js';
import { population } from '../../../support/study_population.js';

describe('predictor of drops', () => {
  const networks = population(6, 8);

  it('fits rising drops, and says how far they may be off and what they come from', () => {
    assert.deepEqual(isotonic([1, 2, 3, 4], [5, 1, 3, 9]), [
      [2, 3],
      [4, 9],
    ]);
    const predictor = fitPredictor(networks, ['pseudoNoiseFlips'], 10, { bits: 'W4A4' });
    const at = (flips: number) =>
      predictDrop(predictor, { ...networks[0]?.indicators, pseudoNoiseFlips: flips } as never);
    const [low, high] = [at(0.05), at(0.95)];
    assert.ok(low.probability < 0.2 && high.probability > 0.8);
    assert.ok(low.drop < 2 && high.drop > 40);
    const inside = networks.filter(({ drop, indicators }) => {
      const [from, to] = predictDrop(predictor, indicators).interval;
      return drop >= from && drop <= to;
    });
    assert.ok(inside.length >= 0.85 * networks.length, String(inside.length));
    assert.equal(predictor.provenance.networks, 48);
    assert.deepEqual(predictor.provenance.archs, ['even', 'odd']);
    assert.deepEqual(JSON.parse(JSON.stringify(predictor)), predictor);
  });

  it('chooses what ranks the drops, by itself where there is one teacher', () => {
    const [first] = chooseIndicators(networks.slice(0, 8), 10);
    assert.ok(first === 'pseudoNoiseFlips' || first === 'margin');
    assert.equal(worseness('margin', 2), -2);
    assert.equal(worseness('pseudoNoiseFlips', 2), 2);
  });

  it('networks of a group are predicted by a fit without them', () => {
    const groups: number[] = [];
    const found = heldOut(
      networks,
      ({ teacher }) => teacher,
      (others) => {
        groups.push(others.length);
        return ['pseudoNoiseFlips'];
      },
      10,
    );
    assert.deepEqual(groups, [40, 40, 40, 40, 40, 40]);
    for (const { network, drop } of found) assert.ok(Math.abs(drop - network.drop) < 12, `${drop} ${network.drop}`);
  });

  it('refuses a fit on one teacher, and indicators without those of its terms', () => {
    assert.throws(() => fitPredictor(networks.slice(0, 8), ['margin'], 10, {}), InvalidArgumentError);
    const predictor = fitPredictor(networks, ['margin'], 10, {});
    assert.throws(() => predictDrop(predictor, { kurtosis: 3 }), /expected figures of margin/);
    assert.equal(termLabels(predictor), 'median margin / deviation');
  });
});
