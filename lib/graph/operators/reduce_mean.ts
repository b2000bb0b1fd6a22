// ReduceMean: the mean over some axes.
import { keepsChannels, reduction } from './reduce.js';

export const ReduceMean = reduction(
  'ReduceMean',
  18,
  {
    start: 0,
    step: (sum, x) => sum + x,
    finish: (sum, count) => sum / count,
    native: 'mean',
    floatsOnly: true,
  },
  { channels: keepsChannels },
);
