// Cross-entropy: value, gradient and count against the definition in float64.
import assert from 'node:assert/strict';
import { crossEntropy } from '../../../../lib/autograd/ops/loss.js';
import { Tape } from '../../../../lib/autograd/tape.js';
import { Memory } from '../../../../lib/tensor/memory.js';
import { Random } from '../../../../lib/tensor/random.js';

const ROWS = 5;
const CLASSES = 7;

/** Sums of seven float32 numbers of about one: 6e-8 each. */
const TOLERANCE = 1e-6;

describe('autograd: cross-entropy', () => {
  const random = new Random(3);
  const logits = Float32Array.from({ length: ROWS * CLASSES }, () => 3 * random.normal());
  const labels = Int32Array.from({ length: ROWS }, () => random.integer(CLASSES));
  const row = (r: number) => [...logits.subarray(r * CLASSES, (r + 1) * CLASSES)];

  for (const smoothing of [0, 0.1]) {
    it(`is the mean of −Σ target · log softmax, smoothing ${smoothing}`, () => {
      const tape = new Tape({ memory: new Memory(), training: true, record: true });
      const value = tape.parameter(logits, new Float32Array(logits.length), [ROWS, CLASSES], 0, 'rows');
      const { loss, correct, gradient } = crossEntropy(tape, value, labels, { smoothing, gradient: true });
      let expected = 0;
      let right = 0;
      for (let r = 0; r < ROWS; r++) {
        const values = row(r);
        const sum = values.reduce((total, x) => total + Math.exp(x), 0);
        values.forEach((x, k) => {
          const share = Math.exp(x) / sum;
          const target = smoothing / CLASSES + (labels[r] === k ? 1 - smoothing : 0);
          expected -= (target * Math.log(share)) / ROWS;
          const received = gradient?.[r * CLASSES + k] as number;
          assert.ok(Math.abs(received - (share - target) / ROWS) <= TOLERANCE, `gradient [${r}, ${k}]: ${received}`);
        });
        if (values.indexOf(Math.max(...values)) === labels[r]) right++;
      }
      assert.ok(Math.abs(loss - expected) <= TOLERANCE * expected, `expected ${expected}, received ${loss}`);
      assert.equal(correct, right);
    });
  }
});
