// Floor: y is the largest whole number ≤ x.
import { unary } from './elementwise.js';

export const floor = unary(
  'Floor',
  {},
  () => Math.floor,
  () => ({ name: 'floor' }),
);
