// Mul: z = x · y, with broadcasting.

import { giveUp, scaled } from './channels.js';
import { binaryOperator } from './elementwise.js';

export const Mul = binaryOperator(
  'Mul',
  'mul',
  (x, y) => x * y,
  (x, y) => x * y,
  {
    samples: 'between',
    channels: (call) => {
      const [a, b] = [call.slots(0), call.slots(1)];
      if (a && b) return giveUp(call, a, b);
      return a || b ? scaled(call, a ? 0 : 1) : undefined;
    },
  },
);
