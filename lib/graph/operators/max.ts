// Max: the largest of any number of inputs, with broadcasting; NaN where one is.
import { variadic } from './elementwise.js';

export const Max = variadic('Max', 'max', Math.max, (x, y) => (x > y ? x : y));
