// Reciprocal: y = 1 / x.
import { unaryOperator } from './elementwise.js';

export const Reciprocal = unaryOperator(
  'Reciprocal',
  {},
  () => (x) => 1 / x,
  () => ({ name: 'reciprocal' }),
);
