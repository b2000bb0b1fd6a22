// Softsign: y = x / (1 + |x|).
import { unaryOperator } from './elementwise.js';

export const Softsign = unaryOperator('Softsign', {}, () => (x) => x / (1 + Math.abs(x)));
