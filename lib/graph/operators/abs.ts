// Abs: y = |x|.

import { homogeneous } from './channels.js';
import { unaryOperator } from './elementwise.js';

export const Abs = unaryOperator(
  'Abs',
  {},
  () => Math.abs,
  () => ({ name: 'abs' }),
  { channels: homogeneous, integers: (x) => (x < 0n ? -x : x) },
);
