// Half precision: every float16 there is, and rounding to the nearest, half to even.
import assert from 'node:assert/strict';
import { float16ToFloat32Bits, float32ToBfloat16Bits, float32ToFloat16Bits } from '../../../lib/tensor/dtype.js';
import { Random } from '../../../lib/tensor/random.js';

const words = new Uint32Array(1);
const numbers = new Float32Array(words.buffer);

function float32Of(bits: number): number {
  words[0] = bits;
  return numbers[0] as number;
}

function bitsOf(value: number): number {
  numbers[0] = value;
  return words[0] as number;
}

/** A finite float16 by its definition (IEEE 754, 5 bits of exponent). */
function half(bits: number): number {
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
  const magnitude = exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15);
  return bits & 0x8000 ? -magnitude : magnitude;
}

describe('element types', () => {
  it('every float16 is the float32 of its value, and comes back', () => {
    for (let bits = 0; bits < 0x10000; bits++) {
      const wide = float16ToFloat32Bits(bits);
      if ((bits & 0x7c00) !== 0x7c00) assert.ok(Object.is(float32Of(wide), half(bits)), `${bits}`);
      else
        assert.ok(bits & 1023 ? Number.isNaN(float32Of(wide)) : Math.abs(float32Of(wide)) === Number.POSITIVE_INFINITY);
      assert.equal(float32ToFloat16Bits(wide), bits);
    }
  });

  it('a float32 becomes the nearest float16, half to even', () => {
    const random = new Random(6);
    for (let i = 0; i < 2000; i++) {
      const value = Math.fround(random.uniform(-1, 1) * 2 ** random.integer(16));
      const bits = float32ToFloat16Bits(bitsOf(value));
      const error = Math.abs(half(bits) - value);
      for (const other of [bits - 1, bits + 1]) {
        if ((other & 0x7c00) === 0x7c00) continue;
        const distance = Math.abs(half(other & 0xffff) - value);
        assert.ok(error < distance || (error === distance && bits % 2 === 0) || (bits & 0x7fff) === 0, `${value}`);
      }
    }
    const rounded = (value: number) => half(float32ToFloat16Bits(bitsOf(value)));
    assert.deepEqual([2049, 2051, 65519, 2 ** -25, 3 * 2 ** -25].map(rounded), [2048, 2052, 65504, 0, 2 ** -23]);
    assert.equal(float32ToFloat16Bits(bitsOf(65520)), 0x7c00);
  });

  it('a float32 becomes the nearest bfloat16, half to even; NaN stays one', () => {
    const rounded = (bits: number) => float32ToBfloat16Bits(bits) & 0xffff;
    assert.deepEqual([0x3f808000, 0x3f818000, 0x3f808001, 0x3f807fff].map(rounded), [0x3f80, 0x3f82, 0x3f81, 0x3f80]);
    assert.equal(rounded(0x7f800001), 0x7fc0);
    assert.equal(rounded(0xff800000), 0xff80);
  });
});
