// ReduceMin: the least over some axes.
import { keepsChannels, reduction } from './reduce.js';

export const ReduceMin = reduction(
  'ReduceMin',
  18,
  { start: Number.POSITIVE_INFINITY, step: Math.min },
  { channels: keepsChannels },
);
