// ReduceMin: the least over some axes.
import { reduction } from './reduce.js';

export const reduceMin = reduction('ReduceMin', 18, { start: Number.POSITIVE_INFINITY, step: Math.min });
