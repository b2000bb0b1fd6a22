// Relu: y = max(x, 0).
import { unary } from './elementwise.js';

export const relu = unary(
  'Relu',
  {},
  () => (x) => (x < 0 ? 0 : x),
  () => ({ name: 'relu' }),
  { fusion: { as: 'activation', rectifies: true, bounds: () => [0, Number.POSITIVE_INFINITY] } },
); // NaN stays NaN
