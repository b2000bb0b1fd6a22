// How figures are written.
import assert from 'node:assert/strict';
import { formatCell, formatDuration, formatNumber, formatQuantity, plural } from '../../../lib/report/format.js';

describe('figures of a report', () => {
  it('numbers: a true minus, no negative zero, no exponent', () => {
    assert.equal(formatNumber(-0.001, 'points'), '0.00');
    assert.equal(formatNumber(-12.345, 'points'), '−12.35');
    assert.equal(formatNumber(77_418, 'count'), '77,418');
    assert.equal(formatNumber(0.001234), '0.00123');
    assert.equal(formatNumber(Number.NaN), '–');
    assert.equal(formatNumber(Number.POSITIVE_INFINITY, 'decibels'), 'exact');
    const magnitudes: [number, string][] = [
      [0, '0'],
      [999, '999'],
      [1000, '1.00k'],
      [77_418, '77.4k'],
      [999_499, '999k'],
      [999_500, '1.00M'],
      [9_995, '10.0k'],
      [1_814_073_344, '1.81G'],
    ];
    for (const [value, text] of magnitudes) assert.equal(formatNumber(value, 'magnitude'), text);
    assert.equal(formatDuration(161.4), '2 min 41 s');
  });

  it('have their unit, their interval, and a dash where there is none', () => {
    assert.equal(formatQuantity(12.345, 'percent'), '12.35 %');
    assert.equal(formatQuantity(12.7, 'share'), '13 %');
    assert.equal(formatCell({ value: 1, interval: [-1, 2] }, 'points'), '1.00 [−1.00, 2.00]');
    assert.equal(formatCell(undefined), '–');
    assert.equal(plural(1, 'policy', 'policies'), '1 policy');
    assert.equal(plural(2000, 'policy', 'policies'), '2,000 policies');
  });
});
