// And: both, with broadcasting; a bool.
import { comparison } from './elementwise.js';

export const And = comparison('And', (x, y) => x === 1 && y === 1, 'bool');
