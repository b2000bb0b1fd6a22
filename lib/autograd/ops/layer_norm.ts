// Layer normalization over the last n elements of row-major memory; Ba, Kiros & Hinton, arXiv 1607.06450.
import { addon } from '../../native/addon.js';
import type { Tape, Value } from '../tape.js';

/** scale, shift: n elements; y = (x − mean) / √(variance + epsilon) · scale + shift in every row of n. */
export function layerNorm(tape: Tape, x: Value, scale: Value, shift: Value | undefined, epsilon: number): Value {
  const n = scale.size;
  const rows = x.size / n;
  const [mean, inverse] = [tape.scratch(rows), tape.scratch(rows)];
  const y = tape.make(x.dims, 'rows', [x, scale, shift]);
  const [xs, scales, shifts, ys] = [x.data, scale.data, shift?.data, y.data];
  tape.compute(() => addon.layerNorm(rows, n, epsilon, xs, scales, shifts, ys, mean, inverse));
  tape.record(y, [x], (dy) => {
    const [dScale, dShift] = [tape.scratch(n), tape.scratch(n)];
    const dx = tape.memory.take(x.size);
    addon.layerNormBackward(rows, n, xs, scales, mean, inverse, dy, dx.array, dScale, dShift);
    tape.give(x, dx);
    tape.memory.release(dx);
    tape.into(scale, (target) => target.set(dScale));
    if (shift) tape.into(shift, (target) => target.set(dShift));
  });
  return y;
}
