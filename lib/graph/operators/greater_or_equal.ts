// GreaterOrEqual: x ≥ y, with broadcasting; a bool.
import { comparison } from './elementwise.js';

export const GreaterOrEqual = comparison('GreaterOrEqual', (x, y) => (x as number) >= (y as number), 'numbers');
