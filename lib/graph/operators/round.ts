// Round: y is the whole number nearest to x, half to even; 0 has the sign of x.
import { unaryOperator } from './elementwise.js';

export const Round = unaryOperator('Round', {}, () => (x) => {
  const down = Math.floor(x);
  const rest = x - down;
  if (rest < 0.5 || (rest === 0.5 && down % 2 === 0)) return down;
  return down === -1 ? -0 : down + 1;
});
