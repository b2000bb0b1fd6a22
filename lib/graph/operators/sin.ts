// Sin: y = sin x.
import { unary } from './elementwise.js';

export const Sin = unary('Sin', {}, () => Math.sin);
