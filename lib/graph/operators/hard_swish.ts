// HardSwish: y = x · max(0, min(1, x / 6 + 1/2)).
import { unaryOperator } from './elementwise.js';

export const HardSwish = unaryOperator(
  'HardSwish',
  {},
  () => (x) => x * Math.max(0, Math.min(1, x / 6 + 0.5)),
  () => ({ name: 'hardSwish' }),
  { since: 14, samples: 'alone' },
);
