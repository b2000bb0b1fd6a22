// Xor: one of the two, with broadcasting; a bool.
import { comparison } from './elementwise.js';

export const Xor = comparison('Xor', (x, y) => x !== y, 'bool');
