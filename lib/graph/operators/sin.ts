// Sin: y = sin x.
import { unaryOperator } from './elementwise.js';

export const Sin = unaryOperator('Sin', {}, () => Math.sin);
