// Mish: y = x · tanh(ln(1 + e^x)); Misra, arXiv 1908.08681.
import { unaryOperator } from './elementwise.js';

export const Mish = unaryOperator(
  'Mish',
  {},
  () => (x) => x * Math.tanh(Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))),
  undefined,
  { since: 18 },
);
