// Min: the least of any number of inputs, with broadcasting; NaN where one is.
import { variadic } from './elementwise.js';

export const Min = variadic('Min', 'min', Math.min, (x, y) => (x < y ? x : y));
