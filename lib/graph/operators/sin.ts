// Sin: y = sin x.
import { unary } from './elementwise.js';

export const sin = unary('Sin', {}, () => Math.sin);
