// chooseQParams, quantize and dequantize against the definition in plain numbers, their properties, their refusals.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { InvalidArgumentError } from '../../../lib/core/errors.js';
import {
  type Granularity,
  perChannel,
  perGroup,
  perSample,
  perTensor,
  perToken,
} from '../../../lib/format/granularity.js';
import { chooseQParams, dequantize, type QParams, quantize } from '../../../lib/native/quantize.js';
import { setThreads } from '../../../lib/native/threads.js';

const fround = Math.fround;

function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor;
}

/** Index of the parameters of element `at`, from the definition of each granularity. */
function paramIndex(at: number, shape: readonly number[], granularity: Granularity): number {
  const last = shape.at(-1) as number;
  const row = Math.floor(at / last);
  switch (granularity.kind) {
    case 'perTensor':
      return 0;
    case 'perSample':
      return Math.floor(at / shape.slice(1).reduce((a, b) => a * b, 1));
    case 'perToken':
      return row;
    case 'perGroup':
      return row * Math.ceil(last / granularity.blockSize) + Math.floor((at % last) / granularity.blockSize);
    case 'perChannel': {
      const axis = (granularity.axis + shape.length) % shape.length;
      const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
      return Math.floor(at / inner) % (shape[axis] as number);
    }
  }
}

function bitsAt(params: { bits: number | Uint8Array }, p: number): number {
  return typeof params.bits === 'number' ? params.bits : (params.bits[p] as number);
}

function codeRange(symmetric: boolean, signed: boolean, bits: number): [number, number] {
  const half = 2 ** (bits - 1);
  const lowest = symmetric ? 1 - half : -half;
  return signed ? [lowest, half - 1] : [lowest + half, 2 * half - 1];
}

/** Scale and zero point of a set of values, from the definition. */
function referenceParams(values: number[], symmetric: boolean, signed: boolean, bits: number): [number, number] {
  const half = 2 ** (bits - 1);
  const min = Math.min(0, ...values);
  const max = Math.max(0, ...values);
  if (symmetric) return [fround(Math.max(-min, max) / (half - 1)) || 1, signed ? 0 : half];
  const scale = fround(fround(max - min) / (2 * half - 1)) || 1;
  const zeroPoint = roundHalfEven(Math.min(2 * half - 1, Math.max(0, fround(-min / scale))));
  return [scale, zeroPoint - (signed ? half : 0)];
}

const cases = fc
  .record({
    shape: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 }),
    symmetric: fc.boolean(),
    signed: fc.boolean(),
    kind: fc.constantFrom('perTensor', 'perChannel', 'perToken', 'perGroup'),
    axis: fc.nat(3),
    fromBack: fc.boolean(),
    blockSize: fc.integer({ min: 1, max: 10 }),
    seed: fc.integer({ min: 1 }),
    mixedBits: fc.boolean(),
    bits: fc.integer({ min: 2, max: 8 }),
  })
  .map((c) => {
    const axis = (c.axis % c.shape.length) - (c.fromBack ? c.shape.length : 0);
    const granularity = {
      perTensor,
      perChannel: perChannel(axis),
      perToken,
      perGroup: perGroup(c.blockSize),
    }[c.kind] as Granularity;
    const size = c.shape.reduce((a, b) => a * b, 1);
    let state = c.seed;
    const random = () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state / 2 ** 32;
    };
    const magnitude = 2 ** Math.floor(random() * 40 - 20);
    const x = Float32Array.from({ length: size }, () => (random() - 0.4) * magnitude);
    const indices = Array.from(x, (_, at) => paramIndex(at, c.shape, granularity));
    const scales = Math.max(...indices) + 1;
    const bits = c.mixedBits ? Uint8Array.from({ length: scales }, () => 2 + Math.floor(random() * 7)) : c.bits;
    const options = { granularity, bits, symmetric: c.symmetric, signed: c.signed };
    return { shape: c.shape, x, options, indices, scales };
  });

describe('chooseQParams', () => {
  it('has the parameters of the definition at every granularity, scheme and bit width', () => {
    fc.assert(
      fc.property(cases, ({ shape, x, options, indices, scales }) => {
        const params = chooseQParams(x, shape, options);
        assert.equal(params.scale.length, scales);
        for (let p = 0; p < scales; p++) {
          const values = [...x].filter((_, i) => indices[i] === p);
          const wanted = referenceParams(values, options.symmetric, options.signed, bitsAt(options, p));
          assert.deepEqual([params.scale[p], params.zeroPoint[p]], wanted);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('documents scale shapes by example', () => {
    const shape = [8, 3, 4, 64];
    const x = new Float32Array(8 * 3 * 4 * 64);
    const scaleShape = (granularity: Granularity) => chooseQParams(x, shape, { granularity }).scaleShape;
    assert.deepEqual(scaleShape(perTensor), []);
    assert.deepEqual(scaleShape(perChannel(1)), [3]);
    assert.deepEqual(scaleShape(perChannel(-1)), [64]);
    assert.deepEqual(scaleShape(perToken), [8, 3, 4]);
    assert.deepEqual(scaleShape(perGroup(16)), [8, 3, 4, 4]);
    assert.deepEqual(scaleShape(perGroup(24)), [8, 3, 4, 3]);
  });

  it('gives the same bits with every number of threads', () => {
    const shape = [64, 48, 512];
    const x = Float32Array.from({ length: 64 * 48 * 512 }, (_, i) => Math.sin(i) * (i % 77));
    for (const granularity of [
      perTensor,
      perChannel(0),
      perChannel(1),
      perChannel(2),
      perSample,
      perToken,
      perGroup(100),
    ]) {
      const results = [1, 2, 5].map((count) => {
        setThreads(count);
        const params = chooseQParams(x, shape, { granularity, signed: true });
        return { params, codes: quantize(x, shape, params) };
      });
      setThreads(0);
      assert.deepEqual(results[1], results[0]);
      assert.deepEqual(results[2], results[0]);
    }
  });
});

describe('quantize and dequantize', () => {
  it('have the codes and values of the definition, out of range values saturating', () => {
    fc.assert(
      fc.property(cases, fc.constantFrom(1, 0.37, 2.5), ({ shape, x, options, indices }, clipping) => {
        const chosen = chooseQParams(x, shape, options);
        const params: QParams = { ...chosen, scale: chosen.scale.map((s) => s * clipping) };
        const codes = quantize(x, shape, params);
        const values = dequantize(codes, shape, params);
        indices.forEach((p, i) => {
          const [lo, hi] = codeRange(params.symmetric, params.signed, bitsAt(params, p));
          const scale = params.scale[p] as number;
          const zeroPoint = params.zeroPoint[p] as number;
          const rounded = roundHalfEven(fround((x[i] as number) / scale)) + zeroPoint;
          const code = Math.min(hi, Math.max(lo, rounded));
          assert.equal(codes[i], code);
          assert.equal(values[i], fround(scale * (code - zeroPoint)));
        });
      }),
      { numRuns: 300 },
    );
  });

  it('give back a quantized tensor unchanged', () => {
    fc.assert(
      fc.property(cases, ({ shape, x, options }) => {
        const params = chooseQParams(x, shape, options);
        const codes = quantize(x, shape, params);
        assert.deepEqual(quantize(dequantize(codes, shape, params), shape, params), codes);
      }),
    );
  });

  it('are monotonic and keep zero exactly zero', () => {
    fc.assert(
      fc.property(cases, ({ x, options }) => {
        const sorted = Float32Array.from([...x, 0]).sort();
        const shape = [sorted.length];
        const scheme = { bits: 2 + (x.length % 7), symmetric: options.symmetric, signed: options.signed };
        const params = chooseQParams(sorted, shape, scheme);
        const codes = quantize(sorted, shape, params);
        for (let i = 1; i < codes.length; i++) assert.ok((codes[i] as number) >= (codes[i - 1] as number));
        const zero = quantize(new Float32Array(1), [1], params);
        assert.equal(zero[0], params.zeroPoint[0]);
        assert.equal(dequantize(zero, [1], params)[0], 0);
      }),
    );
  });

  it('name the row that holds NaN or infinity', () => {
    const shape = [2, 3, 40];
    const params = chooseQParams(new Float32Array(240).fill(1), shape);
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      const x = new Float32Array(240).fill(1);
      x[4 * 40 + 17] = bad;
      const message = /x: expected finite values, received NaN or infinity in row 4/;
      for (const granularity of [perTensor, perChannel(1), perChannel(2), perToken, perGroup(16)]) {
        assert.throws(() => chooseQParams(x, shape, { granularity }), message);
      }
      assert.throws(() => quantize(x, shape, params), message);
    }
  });

  it('take tensors without elements', () => {
    for (const granularity of [perTensor, perChannel(0), perChannel(1), perToken, perGroup(4)]) {
      const params = chooseQParams(new Float32Array(0), [3, 0], { granularity });
      assert.equal(quantize(new Float32Array(0), [3, 0], params).length, 0);
    }
  });

  it('refuse what they cannot take, saying what was expected and what received', () => {
    const x = new Float32Array(12);
    const params = chooseQParams(x, [3, 4], { granularity: perToken });
    const refusals: [() => unknown, RegExp][] = [
      [() => chooseQParams(x, [3, 5]), /chooseQParams: x: expected 15 elements for shape \[3,5\], received 12/],
      [() => chooseQParams(x, [12], { bits: 9 }), /bits: expected an integer from 2 to 8, received 9/],
      [() => chooseQParams(x, [12], { bits: Uint8Array.of(8, 8) }), /bits: expected one width for each of 1 scales/],
      [() => chooseQParams(x, [12], { bits: Uint8Array.of(1) }), /bits: expected 2 to 8, received 1 at index 0/],
      [
        () => chooseQParams(x, [3, 4], { granularity: perChannel(2) }),
        /axis: expected an integer from -2 to 1, received 2/,
      ],
      [() => chooseQParams([1] as never, [1]), /x: expected Float32Array, received Array/],
      [() => quantize(x, [4, 3], params), /scale: expected 4 elements for scale shape \[4\], received 3/],
      [
        () => quantize(x, [3, 4], { ...params, scale: Float32Array.of(1, 0, 1) }),
        /scale: .* received 0\.0+ at index 1/,
      ],
      [() => quantize(x, [3, 4], { ...params, zeroPoint: Int32Array.of(0, 0, 256) }), /zeroPoint: expected 0 to 255/],
      [() => quantize(x, [3, 4], params, new Uint8Array(11)), /out: expected at least 12 elements, received 11/],
      [() => quantize(x, [3, 4], params, new Int8Array(12)), /out: expected Uint8Array, received Int8Array/],
      [() => dequantize(new Int8Array(12), [3, 4], params), /codes: expected Uint8Array for an unsigned scheme/],
      [() => perGroup(0), /blockSize: expected an integer/],
    ];
    for (const [call, message] of refusals) {
      assert.throws(call, (error: unknown) => error instanceof InvalidArgumentError && message.test(error.message));
    }
  });
});
