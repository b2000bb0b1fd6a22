// Figures of one network as a report has them: percent to a millionth, and the accuracy under uniform policies.
import assert from 'node:assert/strict';
import { buildModel } from '../../../lib/models/index.js';
import { uniformPolicy } from '../../../lib/policy/policy.js';
import { difference, percent, uniformFigures } from '../../../lib/reproduce/measure.js';
import { evaluatePolicies } from '../../../lib/runtime/evaluate_policies.js';
import { fullPrecision } from '../../../lib/train/full_precision.js';
import { quartersBatch } from '../../support/quarters.js';

describe('figures of a network', () => {
  it('percentages are to a millionth', () => {
    assert.equal(percent(2 / 3), 66.666667);
    assert.equal(percent(0.1 + 0.2), 30);
    assert.equal(difference(91.3, 13.41), 77.89);
  });

  it('under uniform policies are those of the evaluator', async () => {
    const graph = buildModel('convnet2', { input: [1, 8, 8], classes: 4, seed: 1 });
    const data = quartersBatch(40, 2);
    const fp = percent((await fullPrecision(graph, data)).accuracy as number);
    const found = await uniformFigures(graph, data, fp);
    assert.deepEqual(
      found.map(({ name }) => name),
      ['W8A8', 'W4A8', 'W8A4', 'W4A4'],
    );
    for (const { name, accuracy, drop } of found) {
      const [own] = await evaluatePolicies(graph, [uniformPolicy(graph, name)], data);
      assert.equal(accuracy, percent(own?.accuracy as number));
      assert.equal(drop, difference(fp, accuracy));
    }
  });
});
