// Gelu: y = x · Φ(x), Φ the normal distribution's cumulative function; or its tanh approximation.
// Hendrycks & Gimpel, "Gaussian Error Linear Units", arXiv 1606.08415.
import { string } from '../operator.js';
import { unary } from './elementwise.js';

/** Past this |x|, erf is ±1 in float64: erfc(6) = 2e-17. */
const ERF_SATURATES = 6;

/** erf(x) = 2/√π · e^−x² · Σ 2ⁿ x²ⁿ⁺¹ / (1·3·…·(2n+1)): every term of one sign, so no digits cancel. */
export function erf(x: number): number {
  if (Math.abs(x) >= ERF_SATURATES) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > Math.abs(sum) * Number.EPSILON; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

export const gelu = unary(
  'Gelu',
  { approximate: string('none') },
  ({ approximate }) =>
    approximate === 'tanh'
      ? (x) => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))
      : (x) => (x / 2) * (1 + erf(x / Math.SQRT2)),
  ({ approximate }) => ({ name: approximate === 'tanh' ? 'geluTanh' : 'gelu' }),
  20,
);
