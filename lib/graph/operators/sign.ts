// Sign: y is −1, 0 or 1.
import { unary } from './elementwise.js';

export const Sign = unary('Sign', {}, () => Math.sign, undefined, { integers: (x) => BigInt(Math.sign(Number(x))) });
