// Variants of one policy: other granularities and other arithmetic, the first of them the policy itself.
import assert from 'node:assert/strict';
import {
  DEFAULT_THRESHOLDS,
  figuresOf,
  float32Policy,
  type PolicyFigures,
} from '../../../../lib/assess/measure/figures.js';
import { Measurer, type PolicyAnswers } from '../../../../lib/assess/measure/measurer.js';
import type { Part } from '../../../../lib/assess/measure/part.js';
import { granularities, otherProcessors, REDUCED, SATURATING } from '../../../../lib/assess/measure/variants.js';
import { policyToJson } from '../../../../lib/policy/json.js';
import { uniformPolicy } from '../../../../lib/policy/policy.js';
import { twoProducts, vectors } from '../../../support/product_network.js';

describe('variants of a policy', () => {
  const graph = twoProducts();
  const samples = vectors(graph, 40);
  const policy = uniformPolicy(graph, 'W3A3');
  const measurer = new Measurer(graph);
  after(() => measurer.dispose());
  let part: Part;
  let own: PolicyFigures;
  before(async () => {
    const [fp, quantized] = await measurer.run(samples, [float32Policy(graph), policy]);
    part = { samples, fp: fp as PolicyAnswers, expected: samples.labels as Int32Array };
    const figures = figuresOf(samples.task, part.fp, quantized as PolicyAnswers, samples.labels, DEFAULT_THRESHOLDS);
    own = { name: 'W3A3', effectiveBits: 3, policy: policyToJson(policy), ...figures };
  });

  it('granularities: four ways for each policy, the first as it is', async () => {
    const found = await granularities(measurer, part, [own, { ...own, name: 'again' }], DEFAULT_THRESHOLDS, {});
    assert.deepEqual(
      found.filter((one) => one.policy === 'W3A3').map(({ weights, activations }) => [weights, activations]),
      [
        ['perChannel', 'perSample'],
        ['perChannel', 'perBatch'],
        ['perTensor', 'perSample'],
        ['perTensor', 'perBatch'],
      ],
    );
    const [first] = found;
    assert.deepEqual([first?.drop, first?.flips, first?.margins], [own.drop, own.flips, own.margins]);
    assert.ok(found.every((one) => one.samples === 40));
    // One step for all rows is coarser for most of them.
    assert.notDeepEqual(found[2]?.margins, own.margins);
  });

  it('processors: with saturating sums, and with a reduced range, under which nothing saturates', async () => {
    const found = await otherProcessors(measurer, part, own, DEFAULT_THRESHOLDS, {});
    assert.deepEqual(
      found.map(({ name, policy: of }) => [name, of]),
      [
        [SATURATING, 'W3A3'],
        [REDUCED, 'W3A3'],
      ],
    );
    // Three bits are far from saturating 16: the same figures to the last bit.
    for (const { margins, drop } of found) assert.deepEqual([margins, drop], [own.margins, own.drop]);
  });
});
