// Dropout: in training each element is kept with probability 1 − ratio and then divided by it; otherwise the identity.
import { addon } from '../../native/addon.js';
import { BINARY } from '../../native/codes.js';
import type { Random } from '../../tensor/random.js';
import { walk } from '../strides.js';
import type { Tape, Value } from '../tape.js';

export function dropout(tape: Tape, x: Value, ratio: number, random: Random): Value {
  if (!tape.training || ratio === 0) return x;
  const mask = tape.scratch(x.size);
  const [least, kept] = [ratio * 2 ** 32, 1 / (1 - ratio)];
  for (let i = 0; i < mask.length; i++) mask[i] = random.uint32() >= least ? kept : 0;
  const y = tape.make(x.dims, x.layout, [x]);
  const axes = walk([x.size], [1], [1]);
  tape.compute(() => addon.binary(BINARY.mul, axes, x.data, mask, y.data));
  tape.record(y, [], (dy) => tape.into(x, (dx) => addon.binary(BINARY.mul, axes, dy, mask, dx)));
  return y;
}
