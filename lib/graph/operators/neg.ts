// Neg: y = −x.
import { unary } from './elementwise.js';

export const neg = unary(
  'Neg',
  {},
  () => (x) => -x,
  () => ({ name: 'scale', p: -1 }),
  { integers: (x) => -x },
);
