// Mul: z = x · y, with broadcasting.
import { binary } from './elementwise.js';

export const mul = binary(
  'Mul',
  'mul',
  (x, y) => x * y,
  (x, y) => x * y,
);
