// Equal: x = y, with broadcasting; a bool.
import { comparison } from './elementwise.js';

export const Equal = comparison('Equal', (x, y) => x === y, 'any');
