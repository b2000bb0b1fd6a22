// Gelu: y = x · Φ(x), Φ the normal distribution's cumulative function; or its tanh approximation.
// Hendrycks & Gimpel, "Gaussian Error Linear Units", arXiv 1606.08415.
import { string } from '../operator.js';
import { unaryOperator } from './elementwise.js';
import { erfOf } from './erf.js';

export const Gelu = unaryOperator(
  'Gelu',
  { approximate: string('none') },
  ({ approximate }) =>
    approximate === 'tanh'
      ? (x) => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))
      : (x) => (x / 2) * (1 + erfOf(x / Math.SQRT2)),
  ({ approximate }) => ({ name: approximate === 'tanh' ? 'geluTanh' : 'gelu' }),
  { since: 20 },
);
