// LessOrEqual: x ≤ y, with broadcasting; a bool.
import { comparison } from './elementwise.js';

export const LessOrEqual = comparison('LessOrEqual', (x, y) => (x as number) <= (y as number), 'numbers');
