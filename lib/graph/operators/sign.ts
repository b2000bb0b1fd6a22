// Sign: y is −1, 0 or 1.
import { unaryOperator } from './elementwise.js';

export const Sign = unaryOperator('Sign', {}, () => Math.sign, undefined, {
  integers: (x) => BigInt(Math.sign(Number(x))),
});
