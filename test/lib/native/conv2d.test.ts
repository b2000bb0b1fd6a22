// conv2dDynamic against a plain reference in TypeScript, its invariances, and its refusals.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { InvalidArgumentError } from '../../../lib/core/errors.js';
import { perGroup, perTensor } from '../../../lib/format/granularity.js';
import {
  type ConvWeightShape,
  type ConvWindowOptions,
  conv2dDynamic,
  conv2dDynamicAccumulators,
  conv2dOutputShape,
  type ImageShape,
  packConvWeights,
  packQuantizedConvWeights,
} from '../../../lib/native/conv2d.js';
import { setThreads } from '../../../lib/native/threads.js';

/** Uniform values in [−1, 1), reproducible (mulberry32). */
function randomArray(length: number, seed: number): Float32Array {
  let state = seed >>> 0;
  return Float32Array.from({ length }, () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 31 - 1;
  });
}

const product = (values: readonly number[]): number => values.reduce((a, b) => a * b, 1);

function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  if (x - floor !== 0.5) return Math.round(x);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** q − zeroPoint of every value of a sample, from the definition. */
function centredCodes(values: Float32Array, bits: number): Int32Array {
  const qmax = 2 ** bits - 1;
  const min = Math.min(0, ...values);
  const max = Math.max(0, ...values);
  const scale = Math.fround(Math.fround(max - min) / qmax) || 1;
  const zeroPoint = roundHalfEven(Math.min(qmax, Math.max(0, Math.fround(-min / scale))));
  return Int32Array.from(values, (v) => {
    const q = roundHalfEven(Math.fround(v / scale)) + zeroPoint;
    return Math.min(qmax, Math.max(0, q)) - zeroPoint;
  });
}

/** Strides 1–2, dilations 1–2 and asymmetric padding; shapes small enough for plain loops. */
const convolutions = fc
  .record({
    n: fc.integer({ min: 1, max: 4 }),
    h: fc.integer({ min: 1, max: 9 }),
    w: fc.integer({ min: 1, max: 20 }),
    kernel: fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 })),
    groups: fc.integer({ min: 1, max: 4 }),
    groupChannels: fc.constantFrom(1, 2, 3, 8, 17),
    groupOut: fc.constantFrom(1, 2, 7, 16, 18),
    strides: fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 2 })),
    dilations: fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 2 })),
    padding: fc.tuple(...[0, 1, 2, 3].map(() => fc.integer({ min: 0, max: 3 }))) as fc.Arbitrary<
      [number, number, number, number]
    >,
    bits: fc.integer({ min: 2, max: 8 }),
    weightBits: fc.integer({ min: 2, max: 8 }),
    seed: fc.nat(),
  })
  .map((c) => {
    const shape: ImageShape = [c.n, c.h, c.w, c.groups * c.groupChannels];
    const weightShape: ConvWeightShape = [c.groups * c.groupOut, c.kernel[0], c.kernel[1], c.groupChannels];
    const window: ConvWindowOptions = { strides: c.strides, dilations: c.dilations, padding: c.padding };
    const weights = randomArray(product(weightShape), c.seed + 1);
    return { ...c, shape, weightShape, window, weights, x: randomArray(product(shape), c.seed) };
  })
  .filter(({ h, w, kernel, dilations, padding }) => {
    const [top, left, bottom, right] = padding;
    return h + top + bottom > dilations[0] * (kernel[0] - 1) && w + left + right > dilations[1] * (kernel[1] - 1);
  });
type Convolution = typeof convolutions extends fc.Arbitrary<infer T> ? T : never;

function referenceAccumulators(c: Convolution, codes: Int8Array, outShape: readonly number[]): Int32Array {
  const [n, h, w, channels] = c.shape;
  const [outChannels, kernelH, kernelW, groupChannels] = c.weightShape;
  const [, outH, outW] = outShape as [number, number, number, number];
  const acc: number[] = [];
  const sampleSize = h * w * channels;
  for (let sample = 0; sample < n; sample++) {
    const q = centredCodes(c.x.subarray(sample * sampleSize, (sample + 1) * sampleSize), c.bits);
    for (let oh = 0; oh < outH; oh++) {
      for (let ow = 0; ow < outW; ow++) {
        for (let oc = 0; oc < outChannels; oc++) {
          const firstChannel = Math.floor((oc * c.groups) / outChannels) * groupChannels;
          let sum = 0;
          for (let kh = 0; kh < kernelH; kh++) {
            for (let kw = 0; kw < kernelW; kw++) {
              const ih = oh * c.strides[0] + kh * c.dilations[0] - c.padding[0];
              const iw = ow * c.strides[1] + kw * c.dilations[1] - c.padding[1];
              if (ih < 0 || ih >= h || iw < 0 || iw >= w) continue;
              for (let k = 0; k < groupChannels; k++) {
                const weight = codes[((oc * kernelH + kh) * kernelW + kw) * groupChannels + k] as number;
                sum += (q[(ih * w + iw) * channels + firstChannel + k] as number) * weight;
              }
            }
          }
          acc.push(sum);
        }
      }
    }
  }
  return Int32Array.from(acc);
}

describe('conv2dDynamic', () => {
  afterEach(() => setThreads(0));

  it('has the accumulators of the definition for any geometry and bit width', () => {
    fc.assert(
      fc.property(convolutions, (c) => {
        const weights = packConvWeights(c.weights, c.weightShape, { bits: c.weightBits, groups: c.groups });
        const outShape = conv2dOutputShape(c.shape, weights, c.window);
        const got = conv2dDynamicAccumulators(c.x, c.shape, weights, { ...c.window, activationBits: c.bits });
        assert.deepEqual(got, referenceAccumulators(c, weights.codes(), outShape));
        weights.dispose();
      }),
      { numRuns: 150 },
    );
  });

  it('gives a sample the same bits whatever its neighbours and however many threads', () => {
    fc.assert(
      fc.property(convolutions, fc.integer({ min: 1, max: 3 }), (c, threads) => {
        const weights = packConvWeights(c.weights, c.weightShape, { bits: c.weightBits, groups: c.groups });
        setThreads(threads);
        const all = conv2dDynamic(c.x, c.shape, weights, c.window);
        setThreads(1);
        const [n, ...rest] = c.shape;
        for (let i = 0; i < n; i++) {
          const one = c.x.subarray(i * product(rest), (i + 1) * product(rest));
          const alone = conv2dDynamic(one, [1, ...rest], weights, c.window);
          assert.deepEqual(alone, all.subarray(i * alone.length, (i + 1) * alone.length));
        }
        weights.dispose();
      }),
      { numRuns: 80 },
    );
  });

  it('permutes its output channels as its weights are permuted', () => {
    fc.assert(
      fc.property(convolutions, (c) => {
        const [outChannels, ...rest] = c.weightShape;
        const each = product(rest);
        const one = { ...c.window, activationBits: c.bits };
        const input = c.x.filter((_, i) => i % (c.groups * c.groupChannels) < c.groupChannels);
        const shape: ImageShape = [c.n, c.h, c.w, c.groupChannels];
        const reversed = Float32Array.from(c.weights, (_, i) => {
          return c.weights[(outChannels - 1 - Math.floor(i / each)) * each + (i % each)] as number;
        });
        const plain = conv2dDynamic(input, shape, packConvWeights(c.weights, c.weightShape), one);
        const turned = conv2dDynamic(input, shape, packConvWeights(reversed, c.weightShape), one);
        const back = plain.map((_, i) => {
          return turned[i - (i % outChannels) + (outChannels - 1 - (i % outChannels))] as number;
        });
        assert.deepEqual(back, plain);
      }),
      { numRuns: 60 },
    );
  });

  it('applies bias, residual and clip in that order', () => {
    const shape: ImageShape = [2, 5, 6, 3];
    const x = randomArray(product(shape), 1);
    for (const groups of [1, 3]) {
      const weights = packConvWeights(randomArray(6 * 9 * (3 / groups), 2), [6, 3, 3, 3 / groups], { groups });
      const plain = conv2dDynamic(x, shape, weights, { padding: 1 });
      const residual = randomArray(plain.length, 3);
      const added = conv2dDynamic(x, shape, weights, { padding: 1, residual });
      assert.deepEqual(
        added,
        plain.map((y, i) => y + (residual[i] as number)),
      );
      const clipped = conv2dDynamic(x, shape, weights, { padding: 1, residual, clip: [0, 0.5] });
      assert.deepEqual(
        clipped,
        added.map((y) => Math.min(0.5, Math.max(0, y))),
      );
      const acc = conv2dDynamicAccumulators(x, shape, weights, { padding: 1, sampleScale: new Float32Array(2) });
      const bias = randomArray(6, 4);
      const sampleScale = new Float32Array(2);
      const biased = conv2dDynamic(x, shape, weights, { padding: 1, bias, sampleScale });
      const scales = weights.scales();
      biased.forEach((y, i) => {
        const scale = Math.fround((sampleScale[i < biased.length / 2 ? 0 : 1] as number) * (scales[i % 6] as number));
        // In double the product is exact and the sum nearly so: one rounding to fp32 is the fused multiply-add.
        assert.equal(y, Math.fround((acc[i] as number) * scale + (bias[i % 6] as number)));
      });
    }
  });

  it('takes bits by sample and reports the parameters of each', () => {
    const shape: ImageShape = [7, 6, 6, 5];
    const x = randomArray(product(shape), 9);
    const weights = packConvWeights(randomArray(20 * 9 * 5, 10), [20, 3, 3, 5]);
    const bits = Uint8Array.from([2, 3, 4, 5, 6, 7, 8]);
    const sampleScale = new Float32Array(7);
    const sampleZeroPoint = new Int32Array(7);
    const mixed = conv2dDynamic(x, shape, weights, { activationBits: bits, sampleScale, sampleZeroPoint });
    const each = mixed.length / 7;
    bits.forEach((b, i) => {
      const uniform = conv2dDynamic(x, shape, weights, { activationBits: b });
      assert.deepEqual(mixed.subarray(i * each, (i + 1) * each), uniform.subarray(i * each, (i + 1) * each));
      const values = x.subarray((i * x.length) / 7, ((i + 1) * x.length) / 7);
      const scale = Math.fround(Math.fround(Math.max(...values) - Math.min(...values)) / (2 ** b - 1));
      assert.equal(sampleScale[i], scale);
      assert.equal(sampleZeroPoint[i], roundHalfEven(Math.fround(-Math.min(...values) / scale)));
    });
  });

  it('shares one range among all samples on request', () => {
    const shape: ImageShape = [3, 4, 4, 2];
    const x = randomArray(product(shape), 5).map((v, i) => v * (1 + Math.floor((3 * i) / 96)));
    const weights = packConvWeights(randomArray(4 * 2, 6), [4, 1, 1, 2]);
    const sampleScale = new Float32Array(3);
    conv2dDynamic(x, shape, weights, { activationRange: perTensor, sampleScale });
    const scale = Math.fround(Math.fround(Math.max(...x) - Math.min(...x)) / 255);
    assert.deepEqual(sampleScale, Float32Array.of(scale, scale, scale));
  });

  it('reads packed codes and scales back, and takes them again', () => {
    const shape: ImageShape = [1, 6, 6, 4];
    const x = randomArray(product(shape), 1);
    for (const [weightShape, groups] of [
      [[8, 3, 3, 4], 1],
      [[8, 3, 3, 2], 2],
      [[8, 3, 3, 1], 4],
    ] as [ConvWeightShape, number][]) {
      for (const bits of [3, 8]) {
        const weights = packConvWeights(randomArray(product(weightShape), 2), weightShape, { groups, bits });
        const again = packQuantizedConvWeights(weights.codes(), weightShape, weights.scales(), { groups, bits });
        assert.deepEqual(again.codes(), weights.codes());
        assert.deepEqual(conv2dDynamic(x, shape, again), conv2dDynamic(x, shape, weights));
        assert.ok(weights.bytes > 0);
      }
    }
  });

  it('writes into the given output and nowhere else', () => {
    const shape: ImageShape = [1, 4, 4, 2];
    const weights = packConvWeights(randomArray(3 * 18, 1), [3, 3, 3, 2]);
    const out = new Float32Array(20).fill(7);
    assert.equal(conv2dDynamic(randomArray(32, 2), shape, weights, { out }), out);
    assert.deepEqual(out.subarray(12), new Float32Array(8).fill(7));
    assert.deepEqual(out.subarray(0, 12), conv2dDynamic(randomArray(32, 2), shape, weights));
  });

  it('gives an empty result for an empty batch', () => {
    const weights = packConvWeights(randomArray(4 * 2, 1), [4, 1, 1, 2]);
    assert.equal(conv2dDynamic(new Float32Array(0), [0, 3, 3, 2], weights).length, 0);
  });

  it('emulates saturating pairs and counts them by output channel', () => {
    // 255 · 127 twice is 64770: a pair of the first channel saturates to 32767, those of the second do not.
    const codes = Int8Array.from([127, 127, 127, 127, 1, 1, 1, 1]);
    const weights = packQuantizedConvWeights(codes, [2, 1, 1, 4]);
    const x = new Float32Array(2 * 4).fill(1);
    const saturations = new Float64Array(2);
    const options = { arithmetic: 'saturating16', saturations } as const;
    const acc = conv2dDynamicAccumulators(x, [1, 1, 2, 4], weights, options);
    assert.deepEqual(acc, Int32Array.of(2 * 32767, 4 * 255, 2 * 32767, 4 * 255));
    assert.deepEqual(saturations, Float64Array.of(4, 0));
    assert.throws(() => conv2dDynamic(x, [1, 1, 2, 4], weights, { saturations }), /arithmetic: "saturating16"/);
  });

  it('names the sample that holds NaN or infinity', () => {
    const weights = packConvWeights(randomArray(4 * 18, 1), [4, 3, 3, 2]);
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      const x = randomArray(3 * 50, 2);
      x[149] = bad;
      const call = () => conv2dDynamic(x, [3, 5, 5, 2], weights);
      assert.throws(call, /x: expected finite values, received NaN or infinity in sample 2/);
    }
  });

  it('refuses what it cannot take, saying what was expected and what received', () => {
    const weights = packConvWeights(randomArray(4 * 18, 1), [4, 3, 3, 2]);
    const grouped = packConvWeights(randomArray(4 * 18, 1), [4, 3, 3, 2], { granularity: perGroup(16) });
    const x = randomArray(50, 1);
    const shape: ImageShape = [1, 5, 5, 2];
    const misaligned = { ...shape, length: 4 } as unknown as ImageShape;
    const refusals: [() => unknown, RegExp][] = [
      [() => conv2dDynamic(x, [1, 5, 5, 3], weights), /x: expected 75 elements for shape \[1, 5, 5, 3\], received 50/],
      [() => conv2dDynamic(x, [1, 5, 2, 5], weights), /x: expected 2 channels, as the weights \[4, 3, 3, 2\]/],
      [
        () => conv2dDynamic(x, [1, 25, 1, 2], weights),
        /expected at least as many padded rows and columns as the window/,
      ],
      [
        () => conv2dDynamic(x.subarray(0, 0), [1, 0, 5, 2], weights),
        /x: expected a shape \[N, H, W, C\] without zeros/,
      ],
      [() => conv2dDynamic(x, [1.5, 5, 5, 2], weights), /shape: expected an integer from 0/],
      [() => conv2dDynamic(x, [1, 5, 10] as never, weights), /shape: expected 4 integers, received \[1,5,10\]/],
      [() => conv2dDynamic(x, misaligned, weights), /shape: expected 4 integers/],
      [() => conv2dDynamic(x, shape, weights, { strides: 0 }), /strides: expected an integer from 1/],
      [() => conv2dDynamic(x, shape, weights, { strides: [1, 2 ** 32] }), /strides: expected an integer from 1/],
      [() => conv2dDynamic(x, shape, weights, { dilations: [1, -1] }), /dilations: expected an integer from 1/],
      [
        () => conv2dDynamic(x, shape, weights, { padding: [1, 1] as never }),
        /padding: expected 4 integers, received \[1,1\]/,
      ],
      [() => conv2dDynamic(x, shape, weights, { padding: -1 }), /padding: expected an integer from 0/],
      [() => conv2dDynamic(x, shape, weights, { padding: 2 ** 30 }), /x: expected an output of at most 4294967296/],
      [
        () => conv2dDynamic(x, shape, weights, { padding: 2 ** 20, strides: 2 ** 20 }),
        /x: expected padded samples of at most 2147483648/,
      ],
      [
        () => conv2dDynamic(x, shape, weights, { bias: new Float32Array(3) }),
        /bias: expected at least 4 elements, received 3/,
      ],
      [() => conv2dDynamic(x, shape, weights, { residual: new Float32Array(35) }), /residual: expected at least 36/],
      [
        () => conv2dDynamic(x, shape, weights, { activationBits: 9 }),
        /activationBits: expected an integer from 2 to 8/,
      ],
      [
        () => conv2dDynamic(x, shape, weights, { activationBits: Uint8Array.of(1) }),
        /expected 2 to 8, received 1 for sample 0/,
      ],
      [
        () => conv2dDynamic(x, shape, weights, { activationBits: Uint8Array.of(8), activationRange: perTensor }),
        /activationBits: expected one number with perTensor ranges/,
      ],
      [() => conv2dDynamic(x, shape, weights, { clip: [1, 0] }), /clip: expected \[min, max\]/],
      [() => conv2dDynamic(x, shape, weights, { out: new Float32Array(35) }), /out: expected at least 36 elements/],
      [() => conv2dDynamic(x, shape, weights, { out: new Int32Array(36) as never }), /out: expected Float32Array/],
      [() => conv2dDynamicAccumulators(x, shape, grouped), /weights: expected one scale a channel for int32 output/],
      [() => conv2dDynamic([1] as never, shape, weights), /x: expected Float32Array, received Array/],
      [() => conv2dDynamic(x, shape, {} as never), /weights: expected PackedConvWeights, received Object/],
      [() => packConvWeights(x, [5, 1, 1, 9]), /weights: expected 45 elements for shape \[5, 1, 1, 9\], received 50/],
      [() => packConvWeights(x, [5, 0, 1, 10]), /shape: expected \[outChannels, kernelH, kernelW, channels/],
      [
        () => packConvWeights(x, [5, 1, 1, 10], { groups: 2 }),
        /groups: expected a divisor of the 5 output channels, received 2/,
      ],
      [() => packConvWeights(x, [5, 1, 1, 10], { bits: 1 }), /bits: expected an integer from 2 to 8, received 1/],
      [() => packConvWeights(x, [5, 1, 1, 10], { granularity: perGroup(24) }), /blockSize: expected a power of two/],
      [
        () =>
          packConvWeights(
            x.map(() => Number.NaN),
            [5, 1, 1, 10],
          ),
        /NaN or infinity in output channel 0/,
      ],
      [() => packQuantizedConvWeights(Int8Array.of(9), [1, 1, 1, 1], undefined, { bits: 4 }), /codes from -8 to 7/],
    ];
    for (const [call, message] of refusals) {
      assert.throws(call, (error: unknown) => error instanceof InvalidArgumentError && message.test(error.message));
    }
  });

  it('refuses a window that could overflow int32', () => {
    const k = 65794;
    const weights = packQuantizedConvWeights(new Int8Array(k), [1, 1, 1, k]);
    const call = () => conv2dDynamic(new Float32Array(k), [1, 1, 1, k], weights);
    assert.throws(
      call,
      /weights: expected KH · KW · C \/ groups of at most 65793 \(int32 accumulators\), received 65794/,
    );
  });

  it('refuses disposed weights and detached buffers', () => {
    const weights = packConvWeights(randomArray(4 * 2, 1), [4, 1, 1, 2]);
    const out = new Float32Array(4);
    structuredClone(out.buffer, { transfer: [out.buffer] });
    const call = () => conv2dDynamic(randomArray(2, 1), [1, 1, 1, 2], weights, { out });
    assert.throws(call, /out: expected a live Float32Array/);
    weights.dispose();
    assert.equal(weights.bytes, 0);
    assert.throws(
      () => conv2dDynamic(randomArray(2, 1), [1, 1, 1, 2], weights),
      /expected live PackedConvWeights, received disposed ones/,
    );
    assert.throws(() => weights.codes(), /expected live PackedConvWeights, received disposed ones/);
  });
});
