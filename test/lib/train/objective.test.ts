// Losses of logits: their values against formulas, their gradients against finite differences; what objectives make of
// them.
import assert from 'node:assert/strict';
import { Random } from '../../../lib/tensor/random.js';
import {
  type DistillObjective,
  heldCrossEntropy,
  keepLead,
  type LogitLoss,
  marginHinge,
  mse,
  passesOf,
  type Targets,
} from '../../../lib/train/objective.js';
import { DETRIMENTAL, MULTI_BIT, QU_ANTI, ROBUST } from '../../../lib/train/recipes.js';

const ROWS = 6;
const CLASSES = 5;
const random = new Random(1);
const normals = (length: number) => Float32Array.from({ length }, () => 3 * random.normal());
const logits = normals(ROWS * CLASSES);
const answers = normals(ROWS * CLASSES);
const classes = Int32Array.from({ length: ROWS }, (_, row) => {
  const own = answers.subarray(row * CLASSES, (row + 1) * CLASSES);
  return own.indexOf(Math.max(...own));
});
const targets: Targets = {
  rows: ROWS,
  classes: CLASSES,
  logits: answers,
  teacher: classes,
  labels: classes.map((label) => (label + 1) % CLASSES),
};

const meanOf = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const perRow = (of: (z: number[], row: number) => number) => (z: Float32Array) =>
  meanOf(Array.from({ length: ROWS }, (_, row) => of([...z.subarray(row * CLASSES, (row + 1) * CLASSES)], row)));
const ce = (classOf: Int32Array) =>
  perRow(
    (z, row) => Math.log(z.reduce((sum, value) => sum + Math.exp(value), 0)) - (z[classOf[row] as number] as number),
  );

const LOSSES: Readonly<Record<string, { loss: LogitLoss; formula: (z: Float32Array) => number }>> = {
  mse: { loss: mse, formula: (z) => meanOf([...z].map((value, i) => (value - (answers[i] as number)) ** 2)) },
  hinge: {
    loss: marginHinge(2),
    formula: perRow((z, row) => {
      const own = classes[row] as number;
      return Math.max(0, (z[own] as number) - Math.max(...z.filter((_, k) => k !== own)) + 2);
    }),
  },
  'kept lead': {
    loss: keepLead(2),
    formula: perRow((z, row) => {
      const own = classes[row] as number;
      const lead = (of: number[]) => (of[own] as number) - Math.max(...of.filter((_, k) => k !== own));
      const asked = [...answers.subarray(row * CLASSES, (row + 1) * CLASSES)];
      return Math.max(0, Math.min(2, lead(asked)) - lead(z));
    }),
  },
  'cross-entropy': { loss: heldCrossEntropy('teacher'), formula: ce(classes) },
  'held cross-entropy': {
    loss: heldCrossEntropy('labels', 5),
    formula: (z) => (ce(targets.labels)(z) - 5) ** 2,
  },
};

describe('losses of logits', () => {
  for (const [name, { loss, formula }] of Object.entries(LOSSES)) {
    it(`${name}: value and gradient are those of the formula`, () => {
      const before = normals(logits.length);
      const gradient = before.slice();
      const value = loss(logits, targets, 0.7, gradient);
      assert.ok(Math.abs(value - formula(logits)) <= 1e-5 * Math.abs(value), `${value}, ${formula(logits)}`);
      assert.ok(value > 0.1);
      // float32 gradients beside central differences: errors of the step squared and of rounding over the step.
      const step = 1e-3;
      for (let i = 0; i < logits.length; i++) {
        const at = (change: number) => formula(logits.with(i, (logits[i] as number) + change));
        const slope = (0.7 * (at(step) - at(-step))) / (2 * step);
        const got = (gradient[i] as number) - (before[i] as number);
        assert.ok(Math.abs(got - slope) <= 5e-3 * (1 + Math.abs(slope)), `${i}: ${got}, ${slope}`);
      }
    });
  }

  it('the hinge is zero, without a gradient, where another class leads by the margin', () => {
    const z = Float32Array.of(0, 2.5, -1, 0, 0);
    const gradient = new Float32Array(5);
    const one = { rows: 1, classes: 5, logits: z, teacher: Int32Array.of(0), labels: Int32Array.of(0) };
    assert.equal(marginHinge(2)(z, one, 1, gradient), 0);
    assert.deepEqual(gradient, new Float32Array(5));
    assert.equal(marginHinge(3)(z, one, 1, gradient), 0.5);
    assert.deepEqual([...gradient], [1, -1, 0, 0, 0]);
  });

  it('values that are no numbers make every loss show it', () => {
    const broken = logits.with(3, Number.NaN);
    for (const { loss } of Object.values(LOSSES)) {
      assert.ok(Number.isNaN(loss(broken, targets, 1, new Float32Array(logits.length))));
    }
  });
});

describe('objectives', () => {
  const bits = [() => undefined, () => undefined];
  const weights = (objective: DistillObjective) => passesOf(objective, bits).map(({ name, weight }) => [name, weight]);

  it('take a pass in full precision and one for each policy, with the weights as stated', () => {
    assert.deepEqual(weights(DETRIMENTAL.objective), [
      ['fullPrecision', 2],
      ['quantized', 0.15],
      ['quantized', 0.15],
    ]);
    for (const { objective } of [ROBUST, MULTI_BIT, QU_ANTI]) {
      assert.deepEqual(weights(objective), [
        ['fullPrecision', 1],
        ['quantized', 1],
        ['quantized', 1],
      ]);
    }
    assert.deepEqual(
      passesOf(ROBUST.objective, bits).map((pass) => pass.bits),
      [undefined, ...bits],
    );
  });

  it('recipes cannot be changed by accident', () => {
    assert.throws(() => Object.assign(DETRIMENTAL.objective, { margin: 0 }), TypeError);
    assert.throws(() => Object.assign(ROBUST, { epochs: 9 }), TypeError);
  });
});
