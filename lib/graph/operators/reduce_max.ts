// ReduceMax: the largest over some axes.
import { keepsChannels, reduction } from './reduce.js';

export const ReduceMax = reduction(
  'ReduceMax',
  18,
  { start: Number.NEGATIVE_INFINITY, step: Math.max },
  { channels: keepsChannels },
);
