// Learning-rate schedules against their formulas.
import assert from 'node:assert/strict';
import { rateAt } from '../../../lib/train/schedule.js';

describe('schedules', () => {
  it('oneCycle rises from 1/25 to the full rate in its warm-up and falls to almost nothing', () => {
    const at = (step: number) => rateAt({ kind: 'oneCycle', warmup: 0.2 }, step, 100);
    assert.ok(Math.abs(at(0).factor - 1 / 25) < 1e-12);
    assert.ok(Math.abs(at(19).factor - 1) < 1e-12);
    assert.ok(Math.abs(at(99).factor - 1 / 250000) < 1e-12);
    assert.ok(Math.abs((at(0).momentum as number) - 0.95) < 1e-12);
    assert.ok(Math.abs((at(19).momentum as number) - 0.85) < 1e-12);
    for (let step = 20; step < 100; step++) assert.ok(at(step).factor < at(step - 1).factor);
  });

  it('cosine falls from the full rate to its floor after the warm-up', () => {
    const at = (step: number) => rateAt({ kind: 'cosine', floor: 0.05, warmup: 0.1 }, step, 1000).factor;
    assert.ok(Math.abs(at(49) - 0.5) < 1e-12);
    assert.equal(at(100), 1);
    assert.ok(Math.abs(at(550) - 0.525) < 1e-12);
    assert.ok(at(999) > 0.05 && at(999) < 0.0501);
  });

  it('step falls at the given fractions', () => {
    const at = (step: number) => rateAt({ kind: 'step', at: [0.5, 0.75], factor: 0.1 }, step, 100).factor;
    assert.deepEqual(
      [at(0), at(49), at(50), at(75)].map((rate) => rate.toFixed(3)),
      ['1.000', '1.000', '0.100', '0.010'],
    );
  });

  it('refuses a step outside the run', () => {
    assert.throws(() => rateAt({ kind: 'constant' }, 10, 10), /step: expected 0 to 9, received 10/);
  });
});
