// ReduceProd: the product over some axes.
import { reduction } from './reduce.js';

export const reduceProd = reduction('ReduceProd', 18, { start: 1, step: (product, x) => product * x });
