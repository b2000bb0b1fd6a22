// Add: z = x + y, with broadcasting.
import { binary } from './elementwise.js';

export const add = binary(
  'Add',
  (x, y) => x + y,
  (x, y) => x + y,
);
