// Cos: y = cos x.
import { unary } from './elementwise.js';

export const cos = unary('Cos', {}, () => Math.cos);
