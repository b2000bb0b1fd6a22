// Packed weights: codes and scales against the definition, and shapes that are refused.
import assert from 'node:assert/strict';
import { perGroup, perOutputChannel, perTensor } from '../../../lib/format/granularity.js';
import { packQuantizedWeights, packWeights } from '../../../lib/native/packed_weights.js';
import { Random } from '../../../lib/tensor/random.js';
import { quantizeWeight } from '../../support/product_reference.js';

describe('packWeights', () => {
  const [n, k] = [5, 37];
  const random = new Random(2);
  const weights = Float32Array.from({ length: n * k }, () => random.normal());

  it('has the codes and scales of the definition', () => {
    for (const bits of [2, 4, 8]) {
      const packed = packWeights(weights, [n, k], { bits });
      const rows = Array.from({ length: n }, (_, row) => quantizeWeight(weights.slice(row * k, (row + 1) * k), bits));
      assert.deepEqual(
        [...packed.codes()],
        rows.flatMap(({ codes }) => [...codes]),
      );
      assert.deepEqual(
        [...packed.scales()],
        rows.map(({ scale }) => scale),
      );
      assert.equal(packed.storage, bits <= 4 ? 'int4' : 'int8');
      packed.dispose();
      assert.equal(packed.bytes, 0);
    }
    const whole = packWeights(weights, [n, k], { granularity: perTensor });
    assert.deepEqual([...whole.codes()], [...quantizeWeight(weights, 8).codes]);
  });

  it('gives quantized codes back as they were', () => {
    const codes = Int8Array.from({ length: 2 * 32 }, (_, i) => (i % 16) - 8);
    const scales = Float32Array.of(1, 2, 3, 4); // [groups, n]
    const packed = packQuantizedWeights(codes, [2, 32], scales, { bits: 4, granularity: perGroup(16) });
    assert.deepEqual(packed.codes(), codes);
    assert.deepEqual(packed.scales(), scales);
  });

  it('refuses what it cannot take', () => {
    assert.throws(
      () => packWeights(weights, [n, k + 1]),
      /weights: expected 190 elements for shape \[5, 38\], received 185/,
    );
    assert.throws(() => packWeights(weights, [0, k]), /shape: expected \[n, k\], two positive integers/);
    assert.throws(() => packWeights(weights, [n, k], { bits: 9 }), /bits: expected an integer from 2 to 8/);
    assert.throws(() => packWeights(weights, [n, k], { bits: 7, reduceRange: true }), /reduceRange: expected bits: 8/);
    assert.throws(() => packWeights(weights.with(k, Number.NaN), [n, k]), /expected .*, received/);
    const options = { granularity: perTensor };
    assert.throws(() => packQuantizedWeights(new Int8Array(4), [2, 2], undefined, options), /expected perChannel\(0\)/);
    assert.equal(packWeights(weights, [n, k]).granularity, perOutputChannel);
  });
});
