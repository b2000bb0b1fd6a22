// The targets of `bench kernels`: met, missed, or why they cannot be measured.
import assert from 'node:assert/strict';
import type { BenchReport } from '../../../lib/bench/schema.js';
import { evaluateTargets } from '../../../lib/bench/targets.js';
import { EMPTY_REPORT, row } from '../../support/bench_report.js';

describe('bench kernels: targets', () => {
  it('judges targets by the figures, and says what cannot be measured', () => {
    const cube = { shape: '512x512x512', roundsUs: [1], medianUs: 1 };
    const main = {
      ...EMPTY_REPORT,
      rows: [
        row({ ...cube, gops: 700, isa: 'amx_int8' }),
        row({ ...cube, impl: 'onednn', medianUs: 1.5, roundsUs: [1.5] }),
      ],
    };
    const verdict = (report: BenchReport, what: string, napiUs: number | string = 3) =>
      evaluateTargets({ main: report, vnni: 'no', avx2: 'no AVX2 here', twoThreads: 'no', napiUs }).find(
        (target) => target.what === what,
      );
    assert.equal(verdict(main, 'matmul.s32 / oneDNN, mean')?.verdict, 'met');
    assert.equal(verdict(main, 'matmul.s32 / oneDNN, mean')?.measured, '1.50×');
    assert.match(verdict(main, 'matmul.s32 512³, of the AMX peak')?.measured ?? '', /no AMX/);
    assert.equal(verdict(main, 'avx2 matmul.s32 / oneDNN on AVX2, mean')?.measured, 'no AVX2 here');
    assert.equal(verdict(main, 'N-API overhead of a small call')?.verdict, 'missed');
    assert.equal(verdict(main, 'N-API overhead of a small call', 1.5)?.verdict, 'met');
    const withAmx = { ...main, ceilings: [{ name: 'amxInt8', unit: 'GOPS' as const, value: 1000, threads: 1 }] };
    assert.equal(verdict(withAmx, 'matmul.s32 512³, of the AMX peak')?.verdict, 'met');
    const slow = { ...withAmx, rows: [row({ ...cube, gops: 640, isa: 'amx_int8' })] };
    assert.equal(verdict(slow, 'matmul.s32 512³, of the AMX peak')?.verdict, 'missed');
  });
});
