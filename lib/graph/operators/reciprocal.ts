// Reciprocal: y = 1 / x.
import { unary } from './elementwise.js';

export const reciprocal = unary(
  'Reciprocal',
  {},
  () => (x) => 1 / x,
  () => ({ name: 'reciprocal' }),
);
