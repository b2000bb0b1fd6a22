// Abs: y = |x|.
import { unary } from './elementwise.js';

export const abs = unary(
  'Abs',
  {},
  () => Math.abs,
  () => ({ name: 'abs' }),
  { integers: (x) => (x < 0n ? -x : x) },
);
