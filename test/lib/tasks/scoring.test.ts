// Scores between 0 and 1: means with normal intervals, worked out by hand.
import assert from 'node:assert/strict';
import { graded, shares } from '../../../lib/tasks/scoring.js';

const near = (a: number, b: number) => assert.ok(Math.abs(a - b) < 1e-6, `${a}, expected ${b}`);

describe('scoring', () => {
  it('graded: mean ± z·s/√n, and the same of differences', () => {
    // Mean .5, s² = (.25² + .25²)/2 of three: s/√n = .25/√3.
    const scores = Float32Array.of(0.25, 0.5, 0.75);
    const half = (1.959963985 * 0.25) / Math.sqrt(3);
    const [low, high] = graded.interval(scores);
    near(low, 0.5 - half);
    near(high, 0.5 + half);
    // Differences .25, .25, −.125: mean .125, s² = .046875.
    const { difference, interval, pValue } = graded.difference(scores, Float32Array.of(0, 0.25, 0.875));
    const error = Math.sqrt(0.046875 / 3);
    near(difference, 0.125);
    near(interval[1] - interval[0], 2 * 1.959963985 * error);
    near(pValue, 0.3173105079); // one standard error: 0.125 is √(0.046875 / 3)
    near(error, 0.125);
  });

  it('graded: no difference has p 1, a constant one p 0, and intervals stay within −1 … 1', () => {
    const [one, none] = [Float32Array.of(1, 1), new Float32Array(2)];
    assert.equal(graded.difference(one, one).pValue, 1);
    assert.deepEqual(graded.difference(one, none), { difference: 1, interval: [1, 1], pValue: 0 });
    assert.deepEqual(graded.interval(Float32Array.of(0, 1)), [0, 1]);
    assert.throws(() => graded.difference(one, new Float32Array(3)), /second: expected 2 scores, received 3/);
  });

  it('shares: Wilson, Newcombe and McNemar on 0 and 1', () => {
    const [first, second] = [Uint8Array.of(1, 1, 1, 0), Uint8Array.of(1, 0, 1, 0)];
    const { difference, pValue } = shares.difference(first, second);
    assert.deepEqual([difference, pValue], [0.25, 1]);
    const [low, high] = shares.interval(first);
    assert.ok(low < 0.75 && 0.75 < high);
  });
});
