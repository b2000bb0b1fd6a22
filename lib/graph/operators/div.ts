// Div: z = x / y, with broadcasting; integers round towards zero, and dividing one by zero gives zero.
import { binary } from './elementwise.js';

export const div = binary(
  'Div',
  'div',
  (x, y) => x / y, // stored in an integer array, the quotient loses its fraction
  (x, y) => (y === 0n ? 0n : x / y),
);
