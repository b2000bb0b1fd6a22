// Sub: z = x − y, with broadcasting.
import { binary } from './elementwise.js';

export const sub = binary(
  'Sub',
  'sub',
  (x, y) => x - y,
  (x, y) => x - y,
);
