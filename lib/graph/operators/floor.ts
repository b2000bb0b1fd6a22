// Floor: y is the largest whole number ≤ x.
import { unary } from './elementwise.js';

export const Floor = unary(
  'Floor',
  {},
  () => Math.floor,
  () => ({ name: 'floor' }),
);
