// The binary: hardened, and no call of it harms the process.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { packageRoot } from '../../../lib/core/package_root.js';
import { addon } from '../../../lib/native/addon.js';
import { packQuantizedWeights } from '../../../lib/native/packed_weights.js';
import { setThreads, threads } from '../../../lib/native/threads.js';
import { callRaw } from '../../fuzz/raw_calls.js';

describe('the addon', () => {
  const before = threads();
  after(() => setThreads(before));

  it('is linked read-only where it can be, bound at once, without an executable stack', () => {
    const path = join(packageRoot(), 'build', 'Release', 'faultline.node');
    const headers = execFileSync('readelf', ['--wide', '--segments', '--dynamic', path], { encoding: 'utf8' });
    assert.match(headers, /^ *GNU_RELRO /m);
    assert.match(headers, /^ *GNU_STACK .* RW +0x/m);
    assert.match(headers, /\(FLAGS(_1)?\).*(BIND_NOW|NOW)/);
    const symbols = execFileSync('readelf', ['--wide', '--dyn-syms', path], { encoding: 'utf8' });
    assert.match(symbols, / __stack_chk_fail@/);
    assert.match(symbols, / __\w+_chk@/);
  });

  it('returns or throws whatever it is called with', () => {
    const { returned, threw, thrown } = callRaw(addon as unknown as Record<string, unknown>, 6000);
    assert.ok(returned > 1000 && threw > 1000, `${returned} returned, ${threw} threw`);
    assert.ok(thrown.has('InvalidArgumentError'));
  });

  it('refuses extents whose product leaves 64 bits', () => {
    const [four, out] = [new Float32Array(4), new Float32Array(4)];
    const huge = 2 ** 32;
    const index = Int32Array.of(0);
    assert.throws(() => addon.sampleStatistics(16, 2 ** 30, 2 ** 30, four, out), /x: expected at most 2\^40 elements/);
    assert.throws(() => addon.gather(huge, 1, huge, index, four, out), /at most 2\^40 elements/);
    assert.throws(() => addon.gatherBackward(huge, 1, huge, index, four, out), /at most 2\^40 elements/);
    const big = 2 ** 30;
    assert.throws(() => addon.adaptiveAveragePool(big, big, big, big, 1, 1, four, out), /at most 2\^40 elements/);
    const wide = 2 ** 31 - 1;
    const walk = Int32Array.of(3, wide, wide, 0, 0, 0, 1, 0, 0, 0);
    assert.throws(() => addon.reduceSum(walk, 1, four, out), /walk: expected/);
  });

  it('sums nothing to zero', () => {
    const out = new Float32Array(3).fill(5);
    addon.reduceSum(Int32Array.of(2, 0, 3, 0, 1, 0, 0), 1, new Float32Array(0), out);
    assert.deepEqual([...out], [0, 0, 0]);
  });

  it('refuses scales that are no numbers', () => {
    for (const scale of [Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.throws(
        () => packQuantizedWeights(new Int8Array(6), [2, 3], Float32Array.of(1, scale)),
        /scales: expected finite values, received NaN or infinity in output channel 1/,
      );
    }
  });
});
