// Cos: y = cos x.
import { unaryOperator } from './elementwise.js';

export const Cos = unaryOperator('Cos', {}, () => Math.cos);
