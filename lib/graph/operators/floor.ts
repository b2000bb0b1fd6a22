// Floor: y is the largest whole number ≤ x.
import { unaryOperator } from './elementwise.js';

export const Floor = unaryOperator(
  'Floor',
  {},
  () => Math.floor,
  () => ({ name: 'floor' }),
);
