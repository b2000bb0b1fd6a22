// Sqrt: y = √x.
import { unary } from './elementwise.js';

export const Sqrt = unary(
  'Sqrt',
  {},
  () => Math.sqrt,
  () => ({ name: 'sqrt' }),
);
