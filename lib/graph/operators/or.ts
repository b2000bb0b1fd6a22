// Or: either or both, with broadcasting; a bool.
import { comparison } from './elementwise.js';

export const or = comparison('Or', (x, y) => x === 1 || y === 1, 'bool');
