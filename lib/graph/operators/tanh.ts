// Tanh: y = tanh x.
import { unary } from './elementwise.js';

export const Tanh = unary(
  'Tanh',
  {},
  () => Math.tanh,
  () => ({ name: 'tanh' }),
);
