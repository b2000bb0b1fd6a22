// ReduceL2: √Σ x² over some axes.
import { reduction } from './reduce.js';

export const ReduceL2 = reduction('ReduceL2', 18, {
  start: 0,
  step: (sum, x) => sum + x * x,
  finish: Math.sqrt,
  floatsOnly: true,
});
