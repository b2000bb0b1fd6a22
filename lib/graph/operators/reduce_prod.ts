// ReduceProd: the product over some axes.
import { reduction } from './reduce.js';

export const ReduceProd = reduction('ReduceProd', 18, { start: 1, step: (product, x) => product * x });
