// HardSigmoid: y = max(0, min(1, alpha · x + beta)).
import { floatNumber } from '../operator.js';
import { unaryOperator } from './elementwise.js';

export const HardSigmoid = unaryOperator(
  'HardSigmoid',
  { alpha: floatNumber(Math.fround(0.2)), beta: floatNumber(0.5) },
  ({ alpha, beta }) =>
    (x) =>
      Math.max(0, Math.min(1, alpha * x + beta)),
  ({ alpha, beta }) => ({ name: 'hardSigmoid', p: alpha, q: beta }),
  { samples: 'alone', readout: 'probability' },
);
