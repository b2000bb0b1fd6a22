// Ceil: y is the smallest whole number ≥ x.
import { unary } from './elementwise.js';

export const Ceil = unary(
  'Ceil',
  {},
  () => Math.ceil,
  () => ({ name: 'ceil' }),
);
