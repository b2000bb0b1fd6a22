// Sub: z = x − y, with broadcasting.

import { sums } from './channels.js';
import { binaryOperator } from './elementwise.js';

export const Sub = binaryOperator(
  'Sub',
  'sub',
  (x, y) => x - y,
  (x, y) => x - y,
  { samples: 'between', channels: sums },
);
