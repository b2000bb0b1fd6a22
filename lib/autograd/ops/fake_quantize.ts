// Fake quantization: values rounded to b-bit codes and back, with a straight-through gradient. Codes and ranges are
// those of the integer kernels (native/quant/affine.h).
import { addon } from '../../native/addon.js';
import type { Tape, Value } from '../tape.js';

interface FakeQuantization {
  /** x in memory order is [rows, n]; each row has a range. */
  readonly rows: number;
  /** … or each `block` elements of a row (the last may be fewer). */
  readonly block?: number;
  /** 2–8, for all or for each range. */
  readonly bits: number | Uint8Array;
  /** Symmetric signed codes, for weights; else asymmetric unsigned ones, zero included, for activations. */
  readonly symmetric: boolean;
}

/**
 * y = scale · (q − zeroPoint). The gradient passes unchanged through rounding; its part of a range,
 * Σ dy · (y − x) / scale / steps, goes to the element that sets the range from above and, negated, to the one from below
 * (the first of equals; none where that end is the included zero). steps = 2^b − 1, or 2^(b−1) − 1 when symmetric.
 * NaN or infinity in x make their whole range NaN.
 */
export function fakeQuantize(tape: Tape, x: Value, options: FakeQuantization): Value {
  const { rows, bits, symmetric } = options;
  const n = x.size / rows;
  const block = options.block ?? n;
  const groups = rows * Math.ceil(n / block);
  const range = new Float32Array(groups);
  const extremes = new Int32Array(2 * groups);
  const y = tape.make(x.dims, x.layout, [x]);
  const [xs, ys] = [x.data, y.data];
  tape.compute(() => addon.fakeQuantize(xs, rows, n, block, symmetric, bits, ys, range, extremes));
  tape.record(y, [x, y], (dy, gradient) => {
    const write = (dx: Float32Array) => addon.fakeQuantizeBackward(xs, rows, n, block, ys, range, extremes, dy, dx);
    // This gradient is not shared: two of its elements change and it is the gradient of x.
    if (gradient.references === 1 && !x.gradientTarget) {
      write(dy);
      tape.give(x, gradient);
    } else tape.into(x, write);
  });
  return y;
}
