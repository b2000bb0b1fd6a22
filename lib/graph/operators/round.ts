// Round: y is the whole number nearest to x, half to even.
import { unaryOperator } from './elementwise.js';

export const Round = unaryOperator('Round', {}, () => (x) => {
  const down = Math.floor(x);
  const rest = x - down;
  if (rest === 0.5) return down % 2 === 0 ? down : down + 1;
  return rest < 0.5 ? down : down + 1;
});
