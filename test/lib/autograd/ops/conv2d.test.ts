// Convolutions: values and gradients against the reference, NaN, and the number of threads.
import assert from 'node:assert/strict';
import { addon } from '../../../../lib/native/addon.js';
import { CONV_METHOD } from '../../../../lib/native/codes.js';
import { setThreads, threads } from '../../../../lib/native/threads.js';
import { Random } from '../../../../lib/tensor/random.js';
import { testGradients } from '../../../support/gradient_check.js';

describe('autograd: conv2d', () => testGradients('conv2d'));

function noise(length: number, seed: number): Float32Array {
  const random = new Random(seed);
  return Float32Array.from({ length }, () => random.uniform(-1, 1));
}

describe('convolution: NaN', () => {
  const geometry = Int32Array.of(1, 4, 4, 2, 1, 1, 1, 1, 1, 1, 1, 1, 3, 3, 3, 1);
  const bounds = { relu: [0, Number.POSITIVE_INFINITY], clip: [-0.5, 0.5] } as const;
  const places = { x: 32, w: 54, bias: 3, residual: 48 };
  for (const [name, [low, high]] of Object.entries(bounds)) {
    const run = (
      poisoned: Partial<Record<keyof typeof places, [number, number]>>,
      method: keyof typeof CONV_METHOD,
    ) => {
      const [x, w, bias, residual] = Object.entries(places).map(([argument, length], i) => {
        const values = noise(length, i + 1);
        const poison = poisoned[argument as keyof typeof places];
        if (poison) values[poison[0]] = poison[1];
        return values;
      }) as [Float32Array, Float32Array, Float32Array, Float32Array];
      const y = new Float32Array(48);
      const kernel = new addon.Convolution(geometry, CONV_METHOD[method]);
      kernel.forward(x, w, 1, bias, residual, low, high, y);
      return y;
    };
    it(`stays NaN through ${name}, other results keep their bits`, () => {
      const clean = run({}, 'direct');
      for (const argument of Object.keys(places) as (keyof typeof places)[]) {
        const y = run({ [argument]: [1, Number.NaN] }, 'direct');
        const lost = y.filter(Number.isNaN).length;
        assert.ok(lost > 0 && lost < 48, `${argument}: ${lost}`);
        for (let i = 0; i < 48; i++) assert.ok(Number.isNaN(y[i]) || Object.is(y[i], clean[i]), `${argument}, ${i}`);
      }
    });
    it(`is what infinities of both signs make before ${name}`, () => {
      const y = run({ residual: [5, Number.POSITIVE_INFINITY], bias: [2, Number.NEGATIVE_INFINITY] }, 'direct');
      assert.deepEqual(y.findIndex(Number.isNaN), 5);
    });
  }
});

describe('gradients of weights', () => {
  const before = threads();
  after(() => setThreads(before));

  // n, side, channels, outputs, kernel, stride, groups
  const shapes = {
    'few channels': [12, 14, 1, 16, 3, 1, 1],
    'a stride': [13, 8, 16, 32, 3, 2, 1],
    'one tap': [6, 8, 32, 64, 1, 1, 1],
    depthwise: [7, 8, 32, 32, 3, 1, 32],
    'Winograd, separate sums': [9, 14, 16, 16, 3, 1, 1],
    'Winograd, shared sums': [16, 8, 80, 64, 3, 1, 1],
    'one sample': [1, 14, 16, 16, 3, 1, 1],
    'every pixel seen': [1100, 2, 3, 7, 3, 1, 1],
    'many slices': [64, 14, 64, 64, 3, 2, 1],
  } as const;
  for (const [what, [n, side, channels, out, kernel, stride, groups]] of Object.entries(shapes)) {
    it(`have the same bits on any number of threads: ${what}`, () => {
      const pad = kernel >> 1;
      const outSide = Math.floor((side + 2 * pad - kernel) / stride) + 1;
      const x = noise(n * side * side * channels, 1);
      const dy = noise(n * outSide * outSide * out, 2);
      const size = (out * channels * kernel * kernel) / groups;
      const geometry = Int32Array.of(
        n,
        side,
        side,
        channels,
        stride,
        stride,
        1,
        1,
        pad,
        pad,
        pad,
        pad,
        kernel,
        kernel,
        out,
        groups,
      );
      for (const method of Object.values(CONV_METHOD)) {
        for (const bias of [undefined, new Float32Array(out)]) {
          const results = [1, 2, 3, 5].map((count) => {
            setThreads(count);
            const dw = new Float32Array(size);
            new addon.Convolution(geometry, method).backwardWeights(x, dy, dw, bias);
            return Buffer.concat([Buffer.from(dw.buffer), Buffer.from((bias ?? new Float32Array(0)).slice().buffer)]);
          }) as [Buffer, ...Buffer[]];
          for (const other of results)
            assert.ok(other.equals(results[0]), `method ${method}, bias ${bias !== undefined}`);
        }
      }
    });
  }

  it('of a matrix product with a long sum have them, and the value', () => {
    for (const [batch, m, n, k, transB] of [
      [1, 16, 10, 3136, false],
      [2, 8, 9, 1500, true],
    ] as const) {
      const [a, b, bias] = [noise(batch * k * m, 1), noise(batch * k * n, 2), noise(n, 3)];
      const results = [1, 2, 3, 5].map((count) => {
        setThreads(count);
        const c = new Float32Array(batch * m * n);
        addon.matmul(a, b, bias, c, batch, m, n, k, true, transB, false, false);
        return c;
      }) as [Float32Array, ...Float32Array[]];
      for (const other of results) assert.deepEqual(other, results[0]);
      const at = (item: number, i: number, j: number) => {
        let sum = bias[j] as number;
        for (let l = 0; l < k; l++) {
          const by = item * k * n + (transB ? j * k + l : l * n + j);
          sum += (a[item * k * m + l * m + i] as number) * (b[by] as number);
        }
        return sum;
      };
      for (const [item, i, j] of [
        [0, 0, 0],
        [batch - 1, m - 1, n - 1],
        [0, 3, 5],
      ] as const) {
        // k products of at most 1, each rounded once and added: k · 2^-23 · √k is far above it.
        assert.ok(Math.abs((results[0][(item * m + i) * n + j] as number) - at(item, i, j)) < 1e-3);
      }
    }
  });
});
