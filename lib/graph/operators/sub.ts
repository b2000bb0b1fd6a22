// Sub: z = x − y, with broadcasting.

import { sums } from './channels.js';
import { binary } from './elementwise.js';

export const Sub = binary(
  'Sub',
  'sub',
  (x, y) => x - y,
  (x, y) => x - y,
  { samples: 'between', channels: sums },
);
