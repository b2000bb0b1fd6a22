// Tanh: y = tanh x.
import { unary } from './elementwise.js';

export const tanh = unary(
  'Tanh',
  {},
  () => Math.tanh,
  () => ({ name: 'tanh' }),
);
