// Erf: y = 2/√π · ∫₀ˣ e^−t² dt.
import { unaryOperator } from './elementwise.js';

/** Past this |x|, erf is ±1 in float64: erfc(6) = 2e-17. */
const SATURATES = 6;

/** erf(x) = 2/√π · e^−x² · Σ 2ⁿ x²ⁿ⁺¹ / (1·3·…·(2n+1)): every term of one sign, so no digits cancel. */
export function erfOf(x: number): number {
  if (Math.abs(x) >= SATURATES) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > Math.abs(sum) * Number.EPSILON; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

export const Erf = unaryOperator(
  'Erf',
  {},
  () => erfOf,
  () => ({ name: 'erf' }),
);
