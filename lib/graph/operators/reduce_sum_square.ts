// ReduceSumSquare: Σ x² over some axes.
import { reduction } from './reduce.js';

export const ReduceSumSquare = reduction('ReduceSumSquare', 18, { start: 0, step: (sum, x) => sum + x * x });
