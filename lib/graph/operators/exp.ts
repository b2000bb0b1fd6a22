// Exp: y = e^x.
import { unaryOperator } from './elementwise.js';

export const Exp = unaryOperator(
  'Exp',
  {},
  () => Math.exp,
  () => ({ name: 'exp' }),
);
