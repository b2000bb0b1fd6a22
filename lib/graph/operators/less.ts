// Less: x < y, with broadcasting; a bool.
import { comparison } from './elementwise.js';

export const Less = comparison('Less', (x, y) => (x as number) < (y as number), 'numbers');
