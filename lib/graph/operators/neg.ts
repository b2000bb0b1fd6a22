// Neg: y = −x.

import { homogeneous } from './channels.js';
import { unary } from './elementwise.js';

export const Neg = unary(
  'Neg',
  {},
  () => (x) => -x,
  () => ({ name: 'scale', p: -1 }),
  { channels: homogeneous, integers: (x) => -x },
);
