// Greater: x > y, with broadcasting; a bool.
import { comparison } from './elementwise.js';

export const Greater = comparison('Greater', (x, y) => (x as number) > (y as number), 'numbers');
