// Sqrt: y = √x.
import { unary } from './elementwise.js';

export const sqrt = unary(
  'Sqrt',
  {},
  () => Math.sqrt,
  () => ({ name: 'sqrt' }),
);
