// Div: z = x / y, with broadcasting; integers round towards zero, and dividing one by zero gives zero.

import { giveUp, scaled } from './channels.js';
import { binaryOperator } from './elementwise.js';

export const Div = binaryOperator(
  'Div',
  'div',
  (x, y) => x / y, // stored in an integer array, the quotient loses its fraction
  (x, y) => (y === 0n ? 0n : x / y),
  {
    channels: (call) => {
      const [a, b] = [call.slots(0), call.slots(1)];
      return a && !b ? scaled(call, 0) : giveUp(call, a, b);
    },
  },
);
