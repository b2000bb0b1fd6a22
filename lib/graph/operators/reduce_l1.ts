// ReduceL1: Σ |x| over some axes.
import { reduction } from './reduce.js';

export const ReduceL1 = reduction('ReduceL1', 18, { start: 0, step: (sum, x) => sum + Math.abs(x) });
