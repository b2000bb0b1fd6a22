// Ceil: y is the smallest whole number ≥ x.
import { unaryOperator } from './elementwise.js';

export const Ceil = unaryOperator(
  'Ceil',
  {},
  () => Math.ceil,
  () => ({ name: 'ceil' }),
);
