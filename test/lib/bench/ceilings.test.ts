// Ceilings of operations: which peak applies, which cache holds the operands, and the larger of the two times.
import assert from 'node:assert/strict';
import { boundOf, integerPeak } from '../../../lib/bench/ceilings.js';
import type { Ceiling } from '../../../lib/bench/schema.js';
import type { Job } from '../../../lib/bench/shapes.js';
import { EMPTY_REPORT } from '../../support/bench_report.js';

const ceiling = (name: string, value: number, threads = 1) => ({ name, value, threads }) as Ceiling;
const CEILINGS = [
  ceiling('avx512VnniInt8', 100),
  ceiling('avx2Int8', 50),
  ceiling('avx2Int4', 60),
  ceiling('readL1', 10),
  ceiling('readL2', 5),
  ceiling('readDram', 1),
  ceiling('avx512VnniInt8', 200, 2),
];
const machine = { ...EMPTY_REPORT.machine, isa: 'avx2', l1Bytes: 100, l2Bytes: 1000, l3Bytes: 1000 };
const job = (bytes: number, multiplyAdds: number) => ({ op: 'matmul.s32', bytes, multiplyAdds }) as Job;

describe('ceilings', () => {
  it('the peak is that of the instruction set; of a peer, the fastest there is', () => {
    assert.equal(integerPeak('avx512vnni', 'matmul.s32', 1, CEILINGS)?.value, 100);
    assert.equal(integerPeak('avx512vnni', 'matmul.s32', 2, CEILINGS)?.value, 200);
    assert.equal(integerPeak('avx2', 'matmul.s32', 1, CEILINGS)?.value, 50);
    assert.equal(integerPeak('avx2', 'matmul.int4' as Job['op'], 1, CEILINGS)?.value, 60);
    assert.equal(integerPeak('its own', 'matmul.s32', 1, CEILINGS)?.value, 100);
    assert.equal(integerPeak('amx_int8', 'matmul.s32', 1, CEILINGS), undefined);
  });

  it('operands are read from the cache that holds them', () => {
    const row = { impl: 'faultline', isa: 'avx2', threads: 1 } as const;
    // 50 GOPS are 25 multiply-adds a nanosecond; bytes decide here.
    for (const [bytes, name, us] of [
      [100, 'readL1', 0.01],
      [1000, 'readL2', 0.2],
      [1001, 'readDram', 1.001],
    ] as const) {
      const bound = boundOf(job(bytes, 1), row, CEILINGS, machine);
      assert.equal(bound?.name, name);
      assert.ok(Math.abs((bound?.us ?? 0) - us) < 1e-12);
    }
  });

  it('arithmetic bounds where it takes longer; a peer is held against our instruction set', () => {
    const row = { impl: 'onednn', isa: 'its own', threads: 1 } as const;
    assert.deepEqual(boundOf(job(10, 25_000), row, CEILINGS, machine), { name: 'avx2Int8', us: 1 });
    assert.equal(boundOf(job(10, 1), { ...row, threads: 7 }, CEILINGS, machine), undefined);
  });
});
