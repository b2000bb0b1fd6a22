// Relu: y = max(x, 0).

import { homogeneous } from './channels.js';
import { unaryOperator } from './elementwise.js';

export const Relu = unaryOperator(
  'Relu',
  {},
  () => (x) => (x < 0 ? 0 : x),
  () => ({ name: 'relu' }),
  {
    samples: 'alone',
    channels: homogeneous,
    fusion: { as: 'activation', rectifies: true, bounds: () => [0, Number.POSITIVE_INFINITY] },
  },
); // NaN stays NaN
