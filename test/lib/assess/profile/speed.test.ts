// The time of a layer beside what a machine could do: known work, known ceilings.
import assert from 'node:assert/strict';
import { type MachineCeilings, speedOf } from '../../../../lib/assess/profile/speed.js';

/** 100 GOPS; 10 GB/s up to 1 kB, 2 GB/s beyond. */
const ceilings: MachineCeilings = {
  integerGops: 100,
  copyGBs: [
    { bytes: 1000, value: 10 },
    { bytes: 1e6, value: 2 },
  ],
};

describe('speed of a layer', () => {
  it('bound by arithmetic: operations over the peak', () => {
    const work = { macs: 1e6, bytes: 1000, samples: 4, milliseconds: 0.04 };
    const { bound, gops, ofCeiling, nsPerSample, share } = speedOf(work, ceilings, 40_000);
    assert.equal(bound, 'arithmetic');
    assert.ok(Math.abs(gops - 50) < 1e-9); // 2 · 10⁶ in 40 µs
    assert.ok(Math.abs(ofCeiling - 0.5) < 1e-9);
    assert.deepEqual([nsPerSample, share], [10_000, 0.25]);
  });

  it('bound by memory: bytes over the copy speed of their size, the slowest beyond all sizes', () => {
    const work = { macs: 10, bytes: 1e5, samples: 1, milliseconds: 0.1 };
    const { bound, ofCeiling } = speedOf(work, ceilings, 0);
    assert.equal(bound, 'memory');
    assert.ok(Math.abs(ofCeiling - 0.5) < 1e-9); // 50 µs of 100
    assert.ok(Math.abs(speedOf({ ...work, bytes: 4e6, milliseconds: 4 }, ceilings, 0).ofCeiling - 0.5) < 1e-9);
    assert.equal(speedOf(work, ceilings, 0).share, 0);
  });
});
