// Xor: one of the two, with broadcasting; a bool.
import { comparison } from './elementwise.js';

export const xor = comparison('Xor', (x, y) => x !== y, 'bool');
