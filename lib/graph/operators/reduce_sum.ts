// ReduceSum: the sum over some axes.
import { reduction } from './reduce.js';

export const reduceSum = reduction('ReduceSum', 13, { start: 0, step: (sum, x) => sum + x, native: 'sum' });
