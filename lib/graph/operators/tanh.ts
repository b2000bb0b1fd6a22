// Tanh: y = tanh x.
import { unaryOperator } from './elementwise.js';

export const Tanh = unaryOperator(
  'Tanh',
  {},
  () => Math.tanh,
  () => ({ name: 'tanh' }),
);
