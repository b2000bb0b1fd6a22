// Figures of one policy: counts against plain loops, levels at their bounds, the class that loses most.
import assert from 'node:assert/strict';
import { DEFAULT_THRESHOLDS, figuresOf, float32Policy } from '../../../../lib/assess/measure/figures.js';
import type { PolicyAnswers } from '../../../../lib/assess/measure/measurer.js';
import { quantizableNodes } from '../../../../lib/graph/check.js';
import { buildModel } from '../../../../lib/models/index.js';
import { classification } from '../../../../lib/tasks/classification.js';

const answers = (classes: readonly number[], margin = 1): PolicyAnswers => ({
  answers: Int32Array.from(classes),
  margins: new Float32Array(classes.length).fill(margin),
});
/** Ten samples, six of class 0; full precision is right on all but the last. */
const LABELS = [0, 0, 0, 0, 0, 0, 1, 1, 1, 1];
const fp = answers([0, 0, 0, 0, 0, 0, 1, 1, 1, 0], 2);
const quantized = answers([0, 0, 0, 1, 1, 1, 1, 1, 1, 1]);

describe('figures of a policy', () => {
  it('counts what is right, kept and lost', () => {
    const found = figuresOf(classification, fp, quantized, LABELS, DEFAULT_THRESHOLDS);
    assert.ok(Math.abs((found.accuracy ?? 0) - 70) < 1e-9);
    assert.ok(Math.abs(found.agreement - 60) < 1e-9);
    assert.ok(Math.abs(found.drop - 20) < 1e-9);
    assert.deepEqual([found.flips, found.newlyWrong, found.newlyRight], [4, 3, 1]);
    assert.ok(found.interval[0] <= found.drop && found.drop <= found.interval[1]);
    assert.deepEqual(found.margins, { fp: { low: 2, median: 2 }, quantized: { low: 1, median: 1 }, flipped: 2 });
  });

  it('the worst class has five samples at least', () => {
    const { worstClass } = figuresOf(classification, fp, quantized, LABELS, DEFAULT_THRESHOLDS);
    assert.deepEqual(worstClass, { label: 0, samples: 6, fpAccuracy: 100, accuracy: 50 });
    const few = figuresOf(classification, answers([0, 1]), answers([1, 1]), [0, 1], DEFAULT_THRESHOLDS);
    assert.equal(few.worstClass, undefined);
  });

  it('a relative drop is percent of full precision', () => {
    const relative = { ...DEFAULT_THRESHOLDS, dropType: 'relative' as const };
    const { drop } = figuresOf(classification, fp, quantized, LABELS, relative);
    assert.ok(Math.abs(drop - 100 * (0.2 / 0.9)) < 1e-9);
  });

  it('without labels what is lost is agreement', () => {
    const found = figuresOf(classification, fp, quantized, undefined, DEFAULT_THRESHOLDS);
    assert.deepEqual([found.accuracy, found.pValue, found.worstClass], [undefined, undefined, undefined]);
    assert.ok(Math.abs(found.drop - 40) < 1e-9);
  });

  it('safe up to the limit, unsafe where the least loss is beyond a catastrophe, else caution', () => {
    const level = (maxDrop: number, catastrophe: number) =>
      figuresOf(classification, fp, quantized, LABELS, { ...DEFAULT_THRESHOLDS, maxDrop, catastrophe });
    const [low, high] = level(1, 10).interval;
    assert.equal(level(high, 99).level, 'safe');
    assert.equal(level(high - 0.1, 99).level, 'caution');
    assert.equal(level(high - 0.1, low).level, 'caution');
    assert.equal(level(high - 0.1, low - 0.1).level, 'unsafe');
  });

  it('full precision is the policy that quantizes nothing', () => {
    const graph = buildModel('mlp');
    const names = quantizableNodes(graph).map(({ name }) => name);
    assert.deepEqual(float32Policy(graph), { schemes: new Map(), excluded: new Set(names) });
  });
});
