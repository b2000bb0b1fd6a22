// Sum: x + y + …, with broadcasting.
import { variadic } from './elementwise.js';

export const Sum = variadic(
  'Sum',
  'add',
  (x, y) => x + y,
  (x, y) => x + y,
);
