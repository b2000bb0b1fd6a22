// Softplus: y = ln(1 + e^x).
import { unaryOperator } from './elementwise.js';

export const Softplus = unaryOperator(
  'Softplus',
  {},
  () => (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  () => ({ name: 'softplus' }),
);
