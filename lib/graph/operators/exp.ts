// Exp: y = e^x.
import { unary } from './elementwise.js';

export const Exp = unary(
  'Exp',
  {},
  () => Math.exp,
  () => ({ name: 'exp' }),
);
