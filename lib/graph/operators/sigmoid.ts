// Sigmoid: y = 1 / (1 + e^−x).
import { unary } from './elementwise.js';

export const Sigmoid = unary(
  'Sigmoid',
  {},
  () => (x) => 1 / (1 + Math.exp(-x)),
  () => ({ name: 'sigmoid' }),
  { samples: 'alone' },
);
