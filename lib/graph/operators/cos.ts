// Cos: y = cos x.
import { unary } from './elementwise.js';

export const Cos = unary('Cos', {}, () => Math.cos);
