// Softplus: y = ln(1 + e^x).
import { unary } from './elementwise.js';

export const Softplus = unary(
  'Softplus',
  {},
  () => (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  () => ({ name: 'softplus' }),
);
