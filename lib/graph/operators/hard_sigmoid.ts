// HardSigmoid: y = max(0, min(1, alpha · x + beta)).
import { float } from '../operator.js';
import { unary } from './elementwise.js';

export const HardSigmoid = unary(
  'HardSigmoid',
  { alpha: float(Math.fround(0.2)), beta: float(0.5) },
  ({ alpha, beta }) =>
    (x) =>
      Math.max(0, Math.min(1, alpha * x + beta)),
  ({ alpha, beta }) => ({ name: 'hardSigmoid', p: alpha, q: beta }),
  { samples: 'alone' },
);
