// Or: either or both, with broadcasting; a bool.
import { comparison } from './elementwise.js';

export const Or = comparison('Or', (x, y) => x === 1 || y === 1, 'bool');
