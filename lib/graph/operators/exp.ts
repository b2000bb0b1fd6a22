// Exp: y = e^x.
import { unary } from './elementwise.js';

export const exp = unary(
  'Exp',
  {},
  () => Math.exp,
  () => ({ name: 'exp' }),
);
