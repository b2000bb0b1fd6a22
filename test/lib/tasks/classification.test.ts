// Full precision against quantized classes: what flips, and the figures that follow from it.
import assert from 'node:assert/strict';
import { classification } from '../../../lib/tasks/classification.js';
import { compare } from '../../../lib/tasks/compare.js';
import { TASKS } from '../../../lib/tasks/index.js';
import { percentScore } from '../../../lib/tasks/task.js';

describe('classification: comparison', () => {
  const labels = [0, 0, 1, 1, 2, 2];
  const before = [0, 0, 1, 2, 2, 0];
  const after = [0, 1, 1, 1, 0, 1];

  it('lists the samples whose class changed, and counts those that became wrong and right', () => {
    const result = compare(classification, before, after, { labels });
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
    const { accuracy, classes } = compare(classification, before, after, { labels });
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

  it('reports no accuracy without labels', () => {
    const { accuracy, newlyWrong, classes, agreement } = compare(classification, before, after);
    assert.deepEqual([accuracy, newlyWrong, classes], [undefined, undefined, undefined]);
    assert.equal(agreement, 2 / 6);
  });

  it('refuses lengths that differ', () => {
    assert.throws(() => compare(classification, before, after.slice(1)), /quantized: expected 6 answers, received 5/);
    assert.throws(
      () => compare(classification, before, after, { labels: [1] }),
      /labels: expected 6 answers, received 1/,
    );
  });
});

describe('classification: answers', () => {
  it('takes the first of the largest logits', () => {
    assert.deepEqual([...classification.answers(Float32Array.of(1, 3, 3, -1, -2, -1), 2)], [1, 0]);
    assert.throws(() => classification.answers(new Float32Array(7), 2), /expected 2 rows, received 7 numbers/);
  });

  it('has margins beside the answers, none where one output is all there is', () => {
    const { margins } = classification.classes;
    assert.deepEqual([...margins(Float32Array.of(1, 3, 2, -1, -4, -2), 2)], [1, 1]);
    assert.deepEqual([...margins(Float32Array.of(7), 1)], [0]);
  });

  it('scores against what is expected', () => {
    assert.deepEqual([...classification.scores([1, 0, 2], [1, 1, 2])], [1, 0, 1]);
    assert.equal(percentScore(classification, [1, 0, 2], [1, 1, 2]), 200 / 3);
    assert.equal(classification.difference(Uint8Array.of(1, 1, 1), Uint8Array.of(0, 1, 1)).difference, 1 - 2 / 3);
  });

  it('has support: the softmax probability of what is expected', () => {
    // softmax of (ln 1, ln 3) and of equal logits
    const logits = Float32Array.of(0, Math.log(3), 5, 5);
    assert.ok(Math.abs(classification.support(logits, [1, 0]) - (0.75 + 0.5) / 2) < 1e-7); // ln 3 rounded to float32
    assert.equal(classification.support(Float32Array.of(1e30, -1e30), [0]), 1);
  });

  it('is a task by its name', () => {
    assert.equal(TASKS.get('classification'), classification);
  });
});
