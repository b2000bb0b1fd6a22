// Abs: y = |x|.

import { homogeneous } from './channels.js';
import { unary } from './elementwise.js';

export const Abs = unary(
  'Abs',
  {},
  () => Math.abs,
  () => ({ name: 'abs' }),
  { channels: homogeneous, integers: (x) => (x < 0n ? -x : x) },
);
