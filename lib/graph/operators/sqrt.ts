// Sqrt: y = √x.
import { unaryOperator } from './elementwise.js';

export const Sqrt = unaryOperator(
  'Sqrt',
  {},
  () => Math.sqrt,
  () => ({ name: 'sqrt' }),
);
