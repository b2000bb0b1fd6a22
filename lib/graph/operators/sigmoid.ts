// Sigmoid: y = 1 / (1 + e^−x).
import { unaryOperator } from './elementwise.js';

export const Sigmoid = unaryOperator(
  'Sigmoid',
  {},
  () => (x) => 1 / (1 + Math.exp(-x)),
  () => ({ name: 'sigmoid' }),
  { samples: 'alone', readout: 'probability' },
);
