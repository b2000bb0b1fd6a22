// Add: z = x + y, with broadcasting.

import { sums } from './channels.js';
import { binaryOperator } from './elementwise.js';

export const Add = binaryOperator(
  'Add',
  'add',
  (x, y) => x + y,
  (x, y) => x + y,
  { fuses: ['relu'], fusion: { as: 'addition' }, samples: 'between', channels: sums },
);
