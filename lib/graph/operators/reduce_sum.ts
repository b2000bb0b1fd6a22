// ReduceSum: the sum over some axes.
import { keepsChannels, reduction } from './reduce.js';
import { attributeToInput } from './upgrades.js';

export const ReduceSum = reduction(
  'ReduceSum',
  13,
  { start: 0, step: (sum, x) => sum + x, native: 'sum' },
  {
    channels: keepsChannels,
    upgrades: { ReduceSum: attributeToInput('axes') },
  },
);
