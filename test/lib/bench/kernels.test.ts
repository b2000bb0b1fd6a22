// Figures of `bench kernels`: ratios between rows and their mean.
import assert from 'node:assert/strict';
import { geometricMean, sections } from '../../../lib/bench/figures.js';
import { timeRatio } from '../../../lib/bench/kernels.js';
import { EMPTY_REPORT, row } from '../../support/bench_report.js';

describe('bench kernels: figures', () => {
  it('compares round by round, so a machine that slows down does not count', () => {
    const slow = row({ roundsUs: [2, 20, 200], medianUs: 20 });
    const fast = row({ roundsUs: [1, 10, 100], medianUs: 10 });
    assert.equal(timeRatio(slow, fast), 2);
    assert.equal(timeRatio(row({ roundsUs: [8, 8], medianUs: 8 }), row({ roundsUs: [2], medianUs: 2 })), 4);
    assert.equal(geometricMean([1, 4]), 2);
    assert.equal(geometricMean([]), undefined);
  });

  it('gathers rows by operation and thread count, shapes in order of appearance', () => {
    const rows = [
      row({ shape: 'b' }),
      row({ shape: 'a' }),
      row({ shape: 'b', impl: 'onednn' }),
      row({ shape: 'b', threads: 2 }),
      row({ op: 'conv.s32', shape: 'a' }),
    ];
    assert.deepEqual(sections({ ...EMPTY_REPORT, rows }), [
      {
        op: 'matmul.s32',
        threads: 1,
        shapes: [
          { shape: 'b', rows: [rows[0], rows[2]] },
          { shape: 'a', rows: [rows[1]] },
        ],
      },
      { op: 'matmul.s32', threads: 2, shapes: [{ shape: 'b', rows: [rows[3]] }] },
      { op: 'conv.s32', threads: 1, shapes: [{ shape: 'a', rows: [rows[4]] }] },
    ]);
  });
});
