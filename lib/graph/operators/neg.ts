// Neg: y = −x.

import { homogeneous } from './channels.js';
import { unaryOperator } from './elementwise.js';

export const Neg = unaryOperator(
  'Neg',
  {},
  () => (x) => -x,
  () => ({ name: 'scale', p: -1 }),
  { channels: homogeneous, integers: (x) => -x },
);
