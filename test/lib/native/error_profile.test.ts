// The error profile of a matrix product against a plain fp64 reference, closed forms, and its invariances.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { InvalidArgumentError } from '../../../lib/core/errors.js';
import { perChannel, perGroup, perSample, perTensor } from '../../../lib/format/granularity.js';
import { ErrorProfile, type ErrorSummary, profileConv2d, profileMatmul } from '../../../lib/native/error_profile.js';
import { matmulDynamic } from '../../../lib/native/matmul.js';
import { packWeights } from '../../../lib/native/packed_weights.js';
import { setThreads } from '../../../lib/native/threads.js';
import { checkSummary, type Output, randomArray, referenceMatmul, TERMS } from '../../support/profile_reference.js';

describe('profileMatmul', () => {
  it('has the sums of the definition, by term and channel, for every bit width, range and arithmetic', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 80 }),
        fc.record({
          bits: fc.integer({ min: 2, max: 8 }),
          activationBits: fc.integer({ min: 2, max: 8 }),
          range: fc.constantFrom(perSample, [-0.5, 0.3] as const, [0.1, 0.4] as const),
          arithmetic: fc.constantFrom('exact' as const, 'saturating16' as const),
          granularity: fc.constantFrom(perChannel(0), perTensor),
        }),
        fc.nat(),
        (m, n, k, options, seed) => {
          const x = randomArray(m * k, seed);
          const w = randomArray(n * k, seed + 1);
          const received = profileMatmul(x, w, [n, k], options);
          const wanted = referenceMatmul(x, w, [n, k], options);
          checkSummary(received, wanted.flat());
          wanted.forEach((outputs, channel) => {
            checkSummary(received.channels[channel] as ErrorSummary, outputs);
          });
          assert.equal(received.outputs, m);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('splits each single error into terms that add up to it', () => {
    // One row: a channel is one output, its sums are that output's values.
    const [n, k] = [33, 70];
    const x = randomArray(k, 5);
    const w = randomArray(n * k, 6);
    for (const arithmetic of ['exact', 'saturating16'] as const) {
      const options = { range: [-0.2, 0.9], arithmetic, activationBits: 6 } as const;
      const outputs = referenceMatmul(x, w, [n, k], options);
      profileMatmul(x, w, [n, k], options).channels.forEach((channel, i) => {
        const error = Math.sqrt(channel.mse) * Math.sign(channel.meanError);
        // share = t · e / e²
        const total = TERMS.reduce((sum, name) => sum + channel.terms[name].share * error, 0);
        assert.ok(Math.abs(total - error) <= 7 * ((outputs[i] as Output[])[0] as Output).bound);
        for (const name of TERMS) {
          const t = channel.terms[name].share * error;
          assert.ok(Math.abs(Math.abs(t) - channel.terms[name].maxAbs) <= 1e-12 * Math.abs(t) + 1e-15);
        }
      });
    }
  });

  it('measures the output of the engine itself', () => {
    const [m, n, k] = [20, 24, 90];
    const x = randomArray(m * k, 1);
    const w = randomArray(n * k, 2);
    const packed = packWeights(w, [n, k], { bits: 5 });
    const y = matmulDynamic(x, packed, { activationBits: 7 });
    const profile = profileMatmul(x, w, [n, k], { bits: 5, activationBits: 7 });
    // Σ fp32² from any channel's sqnr; Σ ŷ² from the cosine: exact only up to their rounding, a few 2^-53.
    const signal = profile.mse * m * n * 10 ** (profile.sqnrDb / 10);
    let quantized = 0;
    let cross = 0;
    for (let row = 0; row < m; row++) {
      for (let channel = 0; channel < n; channel++) {
        let fp32 = 0;
        for (let i = 0; i < k; i++) fp32 += (x[row * k + i] as number) * (w[channel * k + i] as number);
        quantized += (y[row * n + channel] as number) ** 2;
        cross += (y[row * n + channel] as number) * fp32;
      }
    }
    // The fp32 outputs carry γ(90) ≈ 5.4e-6 of Σ|x·w|, about 30 times the output here.
    assert.ok(Math.abs(profile.cosine - cross / Math.sqrt(signal * quantized)) < 1e-6);
  });

  it('gives the same bits however samples are split into batches and for every number of threads', () => {
    const [m, n, k] = [517, 37, 65];
    const x = randomArray(m * k, 3);
    const w = randomArray(n * k, 4);
    const options = { range: [-0.8, 0.7], arithmetic: 'saturating16' } as const;
    const all = profileMatmul(x, w, [n, k], options);
    const batches = [1, 15, 240, 3, 258];
    for (const count of [1, 2, 3]) {
      setThreads(count);
      assert.deepEqual(profileMatmul(x, w, [n, k], options), all);
      const profile = new ErrorProfile(w, [n, k], options);
      let begin = 0;
      for (const rows of batches) {
        profile.addRows(x.subarray(begin * k, (begin + rows) * k));
        begin += rows;
      }
      assert.equal(begin, m);
      const { activations, ...rest } = profile.read();
      const { activations: expectedActivations, ...wanted } = all;
      assert.deepEqual(rest, wanted);
      assert.deepEqual(activations, expectedActivations);
      profile.dispose();
    }
    setThreads(0);
  });

  it('finds 1/√12 where rounding errors are uniform', () => {
    // A fixed range of 255 steps of 1/128 (scale 2^-7 exactly, zero point 128) and values uniform over many steps: the
    // error in steps is uniform in [−½, ½), its square has mean 1/12 and variance 1/80 − 1/144 = 1/180. The mean over
    // n independent values deviates by more than 6 σ with probability below 2e-9.
    const k = 500;
    const x = randomArray(400 * k, 7).map((v) => v * 0.9);
    const { activations } = profileMatmul(x, new Float32Array(k).fill(1), [1, k], { range: [-1, 127 / 128] });
    const deviation = Math.abs(activations.rmseOverScale ** 2 - 1 / 12);
    assert.ok(deviation < 6 * Math.sqrt(1 / 180 / x.length));
    assert.equal(activations.clipped, 0);
    assert.equal(activations.clippingRmseOverScale, 0);

    // Weights in ±1 with scale 1/127: uniform within a step but for the two half steps at the ends.
    const w = randomArray(200 * k, 8).map((v, i) => (i % k === 0 ? 1 : v));
    const { weights } = profileMatmul(new Float32Array(k), w, [200, k]);
    assert.ok(Math.abs(weights.rmseOverScale ** 2 - 1 / 12) < 6 * Math.sqrt(1 / 180 / w.length) + 1 / (12 * k));
  });

  it('has the closed form of a constructed case', () => {
    // k = 1. Weights 1 and −0.5: codes 127 and −127 exactly (ŵ differs from w by the fp32 rounding of the scale only).
    // Range [0, 255], scale 1, zero point 0: x = 10.25 becomes 10, an error of −0.25 · w.
    const x = Float32Array.of(10.25);
    const profile = profileMatmul(x, Float32Array.of(1, -0.5), [2, 1], { range: [0, 255] });
    const wanted = 20 * Math.log10(10.25 / 0.25);
    assert.ok(Math.abs(profile.sqnrDb - wanted) < 1e-4);
    assert.ok(Math.abs((profile.channels[1]?.meanError ?? 0) - 0.125) < 1e-6);
    assert.ok(Math.abs(profile.terms.activationRounding.share - 1) < 1e-5);
    assert.equal(profile.activations.rmseOverScale, 0.25);
    assert.ok(Math.abs(profile.cosine - 1) < 1e-12);
    assert.equal(profile.activations.histogram[10], 1);
    assert.equal(profile.activations.unusedCodes, 255);
    assert.equal(profile.activations.unusedRange, 1);
  });

  it('puts values beyond a fixed range into clipping, however far they are', () => {
    // Scale 1, zero point 0: 300 clips to 255, −20 to 0, 1e38 to 255; 7 is exact.
    for (const [value, clipped] of [
      [300, -45],
      [-20, 20],
      [1e38, 255 - 1e38],
      [7, 0],
    ] as const) {
      const profile = profileMatmul(Float32Array.of(value), Float32Array.of(1), [1, 1], { range: [0, 255] });
      const { activationClipping, activationRounding } = profile.terms;
      assert.ok(Math.abs(activationClipping.maxAbs - Math.abs(clipped)) <= 2 ** -23 * Math.abs(clipped), `${value}`);
      assert.equal(activationRounding.maxAbs, 0);
      assert.equal(profile.activations.clipped, clipped === 0 ? 0 : 1);
    }
  });

  it('sees the top code clipped when both ends of a dynamic range round up', () => {
    // Range [−101.5, 153.5]: scale 1, zero point round(101.5) = 102, and 153.5 → 154 + 102 = 256 > 255.
    const x = Float32Array.of(-101.5, 153.5);
    const profile = profileMatmul(x, Float32Array.of(1, 1), [1, 2]);
    assert.equal(profile.activations.clipped, 1);
    assert.equal(profile.activations.clippingRmseOverScale, Math.sqrt(0.5));
  });

  it('counts saturated pairs and attributes the damage to them', () => {
    const [n, k] = [5, 64];
    const x = new Float32Array(3 * k).fill(1);
    const w = new Float32Array(n * k).fill(1);
    const profile = profileMatmul(x, w, [n, k], { arithmetic: 'saturating16' });
    assert.equal(profile.saturations, (3 * n * k) / 2);
    assert.equal(profile.channels[2]?.saturations, (3 * k) / 2);
    assert.ok(profile.terms.saturation.share > 0.999);
    // 64 of 64 · 255 · 127 lost but 32767 a pair: about half of the output.
    assert.ok(Math.abs((profile.channels[0]?.meanError ?? 0) + 64 * (1 - 32767 / (2 * 255 * 127))) < 1e-4);
    const reduced = profileMatmul(x, w, [n, k], { arithmetic: 'saturating16', reduceRange: true });
    assert.equal(reduced.saturations, 0);
    assert.equal(reduced.terms.saturation.mse, 0);
    assert.equal(reduced.weights.largestCode, 64);
  });

  it('takes constant rows, zero rows and unused codes', () => {
    const k = 6;
    const w = Float32Array.of(0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0);
    const zero = profileMatmul(new Float32Array(k), w, [2, k]);
    assert.equal(zero.mse, 0);
    assert.equal(zero.sqnrDb, Number.POSITIVE_INFINITY);
    assert.equal(zero.cosine, 1);
    assert.equal(zero.activations.unusedRange, 1);
    const constant = profileMatmul(new Float32Array(2 * k).fill(5), w, [2, k]);
    assert.equal(constant.activations.histogram[255], 2 * k);
    assert.equal(constant.activations.unusedCodes, 255);
    assert.equal(constant.activations.unusedRange, 1);
    // Channel 0 uses code 0 alone; channel 1 uses 0 … 127 of −127 … 127.
    assert.equal(constant.channels[0]?.weights.unusedRange, 1);
    assert.equal(constant.channels[1]?.weights.unusedRange, 0.5);
    assert.equal(constant.weights.histogram[127], 11);
    assert.equal(constant.weights.histogram[254], 1);
    assert.equal(constant.weights.unusedCodes, 253);
    const empty = new ErrorProfile(w, [2, k]).read();
    assert.equal(empty.outputs, 0);
    assert.equal(empty.mse, 0);
  });

  it('shares one range over a batch when asked to', () => {
    const x = Float32Array.of(1, 0.001, 0.002, 0.003);
    const w = Float32Array.of(1, 1);
    const whole = profileMatmul(x, w, [1, 2], { range: perTensor });
    assert.deepEqual(whole, {
      ...profileMatmul(x, w, [1, 2], { range: [0, 1] }),
    });
    assert.notEqual(whole.mse, profileMatmul(x, w, [1, 2]).mse);
  });

  it('refuses NaN, infinity and what does not fit, and adds nothing then', () => {
    const w = randomArray(16, 1);
    const profile = new ErrorProfile(w, [2, 8]);
    profile.addRows(randomArray(80, 2));
    const before = profile.read();
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      const x = randomArray(40, 3);
      x[25] = bad;
      assert.throws(() => profile.addRows(x), /x: expected finite values, received NaN or infinity in sample 3/);
    }
    assert.deepEqual(profile.read(), before);
    const refusals: [() => unknown, RegExp][] = [
      [() => profile.addRows(randomArray(9, 1)), /x: expected a multiple of k = 8 elements, received 9/],
      [() => profileMatmul(w, Float32Array.of(Number.NaN, 1), [2, 1]), /weights: expected finite .* output channel 0/],
      [() => new ErrorProfile(w, [2, 7]), /weights: expected 14 elements for shape \[2,7\], received 16/],
      [() => new ErrorProfile(w, [2, 8], { range: [1, 0] }), /range: expected .*min ≤ max, received \[1, 0\]/],
      [() => new ErrorProfile(w, [2, 8], { range: 'none' as never }), /expected perSample.*, received "none"/],
      [() => new ErrorProfile(w, [2, 8], { bits: 9 }), /bits: expected an integer from 2 to 8, received 9/],
      [() => new ErrorProfile(w, [2, 8], { bits: 7, reduceRange: true }), /reduceRange: expected bits: 8/],
      [() => new ErrorProfile(w, [2, 8], { granularity: perGroup(24) }), /blockSize: expected a power of two/],
      [
        () => new ErrorProfile(w, [4, 2, 2, 1], {}, 3),
        /groups: expected a divisor of the 4 output channels, received 3/,
      ],
      [() => new ErrorProfile(w, [4, 2, 2, 1]).addRows(w), /x: expected images/],
      [() => profileConv2d(w, [1, 4, 4, 1], w, [4, 2, 2, 1], { strides: [0, 1] }), /profileConv2d: strides/],
      [
        () => profileConv2d(w, [1, 4, 4, 1], randomArray(25, 1), [1, 5, 5, 1]),
        /x: expected at least as many padded rows/,
      ],
      [
        () => profileConv2d(w, [1, 4, 2, 2], w, [4, 2, 2, 1]),
        /shape: expected \[n, h, w, 1\].*, received \[1, 4, 2, 2\]/,
      ],
    ];
    for (const [call, message] of refusals) {
      assert.throws(call, (error: unknown) => error instanceof InvalidArgumentError && message.test(error.message));
    }
    profile.dispose();
    assert.throws(() => profile.read(), /expected a live ErrorProfile, received a disposed one/);
  });
});
