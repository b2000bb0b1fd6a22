// Full precision against quantized classes: what flips, and the figures that follow from it.
import assert from 'node:assert/strict';
import { compareClasses } from '../../../../lib/assess/measure/comparison.js';
import { predictedClasses } from '../../../../lib/tensor/largest.js';

describe('compareClasses', () => {
  const labels = [0, 0, 1, 1, 2, 2];
  const before = [0, 0, 1, 2, 2, 0];
  const after = [0, 1, 1, 1, 0, 1];

  it('lists the samples whose class changed, and counts those that became wrong and right', () => {
    const result = compareClasses(before, after, { labels });
    assert.deepEqual(
      result.flips.map(({ sample, label, before: from, after: to }) => [sample, label, from, to]),
      [
        [1, 0, 0, 1],
        [3, 1, 2, 1],
        [4, 2, 2, 0],
        [5, 2, 0, 1],
      ],
    );
    assert.equal(result.newlyWrong, 2);
    assert.equal(result.newlyRight, 1);
    assert.equal(result.agreement, 2 / 6);
  });

  it('gives accuracies, the paired drop and the accuracy of each class', () => {
    const { accuracy, classes } = compareClasses(before, after, { labels });
    assert.equal(accuracy?.fullPrecision, 4 / 6);
    assert.equal(accuracy?.quantized, 3 / 6);
    assert.ok(Math.abs((accuracy?.drop ?? 0) - 1 / 6) < 1e-15);
    assert.ok((accuracy?.dropInterval[0] ?? 1) < 1 / 6 && (accuracy?.dropInterval[1] ?? 0) > 1 / 6);
    // Two to the one side and one to the other: as even as three can be.
    assert.equal(accuracy?.pValue, 1);
    assert.deepEqual(classes, [
      { label: 0, samples: 2, fullPrecision: 2, quantized: 1 },
      { label: 1, samples: 2, fullPrecision: 1, quantized: 2 },
      { label: 2, samples: 2, fullPrecision: 1, quantized: 0 },
    ]);
  });

  it('says nothing of accuracy without labels', () => {
    const { accuracy, newlyWrong, classes, agreement } = compareClasses(before, after);
    assert.deepEqual([accuracy, newlyWrong, classes], [undefined, undefined, undefined]);
    assert.equal(agreement, 2 / 6);
  });

  it('refuses lengths that differ', () => {
    assert.throws(() => compareClasses(before, after.slice(1)), /quantized: expected 6 classes, received 5/);
    assert.throws(() => compareClasses(before, after, { labels: [1] }), /labels: expected 6 classes, received 1/);
  });
});

describe('predictedClasses', () => {
  it('takes the first of the largest logits', () => {
    assert.deepEqual([...predictedClasses(Float32Array.of(1, 3, 3, -1, -2, -1), 3)], [1, 0]);
    assert.throws(() => predictedClasses(new Float32Array(7), 3), /rows of 3/);
  });
});
