// Convolutions with fewer multiplications beside the direct one: results and gradients, bias included.
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

interface Shape {
  readonly n: number;
  readonly channels: number;
  readonly out: number;
  /** Pixels a side. */
  readonly size: number;
  readonly pad?: number;
  readonly stride?: number;
}

/** Everything that a convolution computes, by name. */
function computed(method: ConvMethod, { n, channels, out, size, pad = 1, stride = 1 }: Shape) {
  const tape = new Tape({ memory: new Memory(), training: true, record: true, convolutions: method });
  const grown = (dims: number[], seed: number, layout: 'rows' | 'channelsLast' = 'rows') => {
    const length = dims.reduce((product, dim) => product * dim, 1);
    return tape.parameter(noise(length, seed), new Float32Array(length), dims, 1, layout);
  };
  const x = grown([n, channels, size, size], 1, 'channelsLast');
  const w = grown([out, channels, 3, 3], 2);
  const b = grown([out], 3);
  const window = {
    strides: [stride, stride],
    pads: [pad, pad, pad, pad],
    dilations: [1, 1],
    groups: 1,
  } as const;
  const y = conv2d(tape, new ConvKernels(), x, w, b, window);
  const result = y.data.slice();
  tape.backward(y, noise(y.size, 4));
  return { y: result, dx: x.gradientTarget, dw: w.gradientTarget, db: b.gradientTarget };
}

describe('convolution with fewer multiplications', () => {
  const shapes: readonly (Shape & { readonly what: string })[] = [
    { what: '16 of Winograd’s tiles an image', n: 4, channels: 64, out: 64, size: 16 },
    { what: 'tiles that reach over the edge', n: 25, channels: 64, out: 80, size: 7 },
    { what: 'one tile an image', n: 64, channels: 96, out: 64, size: 4 },
    { what: 'one register of channels, several blocks', n: 30, channels: 16, out: 16, size: 14 },
    { what: 'no padding', n: 3, channels: 32, out: 16, size: 10, pad: 0 },
    { what: 'padding on all sides of a result', n: 3, channels: 16, out: 32, size: 10, pad: 2 },
    { what: 'channels that fill no register: direct', n: 4, channels: 24, out: 16, size: 8 },
    { what: 'every result sees every pixel: 2×2', n: 5, channels: 32, out: 48, size: 2 },
    { what: 'every result sees every pixel: 2×2 to 1', n: 5, channels: 3, out: 7, size: 2, stride: 2 },
    { what: 'every result sees every pixel: 1', n: 6, channels: 20, out: 10, size: 1 },
  ];
  for (const shape of shapes) {
    it(`${shape.what}: the direct one's results and gradients`, () => {
      const direct = computed('direct', shape);
      const other = computed('fast', shape);
      for (const [name, wanted] of Object.entries(direct) as [keyof typeof direct, Float32Array][]) {
        const largest = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
        const worst = wanted.reduce((most, value, i) => Math.max(most, Math.abs(value - (other[name]?.[i] ?? 0))), 0);
        assert.ok(worst <= TOLERANCE * largest, `${name}: ${worst} off, of ${largest}`);
      }
    });
  }

  it('computes the same bits again', () => {
    const shape = { n: 4, channels: 64, out: 64, size: 16 };
    assert.deepEqual(computed('fast', shape), computed('fast', shape));
  });
});
