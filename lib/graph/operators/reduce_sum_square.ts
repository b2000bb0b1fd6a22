// ReduceSumSquare: Σ x² over some axes.
import { reduction } from './reduce.js';

export const reduceSumSquare = reduction('ReduceSumSquare', 18, { start: 0, step: (sum, x) => sum + x * x });
