// Softsign: y = x / (1 + |x|).
import { unary } from './elementwise.js';

export const softsign = unary('Softsign', {}, () => (x) => x / (1 + Math.abs(x)));
