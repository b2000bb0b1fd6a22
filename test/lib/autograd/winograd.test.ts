// Winograd's convolution beside the direct one: results and gradients, bias included.
import assert from 'node:assert/strict';
import { ConvKernels, conv2d } from '../../../lib/autograd/ops/conv2d.js';
import { type ConvMethod, Tape } from '../../../lib/autograd/tape.js';
import { Memory } from '../../../lib/tensor/memory.js';
import { Random } from '../../../lib/tensor/random.js';

/** Lavin & Gray (arXiv 1509.09308, table 6) measured 3e-5 of F(4×4, 3×3) in float32, relative to numbers of size 1. */
const TOLERANCE = 1e-4;

function noise(length: number, seed: number): Float32Array {
  const random = new Random(seed);
  return Float32Array.from({ length }, () => random.uniform(-1, 1));
}

/** Everything that a convolution computes, by name. */
function computed(method: ConvMethod, n: number, channels: number, out: number, size: number) {
  const tape = new Tape({ memory: new Memory(), training: true, record: true, convolutions: method });
  const grown = (dims: number[], seed: number, layout: 'rows' | 'channelsLast' = 'rows') => {
    const length = dims.reduce((product, dim) => product * dim, 1);
    return tape.parameter(noise(length, seed), new Float32Array(length), dims, 1, layout);
  };
  const x = grown([n, channels, size, size], 1, 'channelsLast');
  const w = grown([out, channels, 3, 3], 2);
  const b = grown([out], 3);
  const window = { strides: [1, 1], pads: [1, 1, 1, 1], dilations: [1, 1], groups: 1 } as const;
  const y = conv2d(tape, new ConvKernels(), x, w, b, window);
  const result = y.data.slice();
  tape.backward(y, noise(y.size, 4));
  return { y: result, dx: x.gradientTarget, dw: w.gradientTarget, db: b.gradientTarget };
}

describe("Winograd's convolution", () => {
  const shapes = [
    [4, 64, 64, 16], // 16 of its tiles an image
    [25, 64, 80, 7], // tiles that reach over the edge
    [64, 96, 64, 4],
    [2, 64, 64, 4], // too few pixels: direct
  ] as const;
  for (const [n, channels, out, size] of shapes) {
    it(`${n} × ${channels} → ${out} channels of ${size}²: the direct one's results and gradients`, () => {
      const direct = computed('direct', n, channels, out, size);
      const other = computed('winograd', n, channels, out, size);
      for (const [name, wanted] of Object.entries(direct) as [keyof typeof direct, Float32Array][]) {
        const largest = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
        const worst = wanted.reduce((most, value, i) => Math.max(most, Math.abs(value - (other[name]?.[i] ?? 0))), 0);
        assert.ok(worst <= TOLERANCE * largest, `${name}: ${worst} off, of ${largest}`);
      }
    });
  }

  it('computes the same bits again', () => {
    assert.deepEqual(computed('winograd', 4, 64, 64, 16), computed('winograd', 4, 64, 64, 16));
  });
});
