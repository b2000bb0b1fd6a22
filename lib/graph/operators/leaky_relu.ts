// LeakyRelu: y = x, or alpha · x below zero.
import { float } from '../operator.js';
import { homogeneous } from './channels.js';
import { unary } from './elementwise.js';

export const LeakyRelu = unary(
  'LeakyRelu',
  { alpha: float(Math.fround(0.01)) },
  ({ alpha }) =>
    (x) =>
      x < 0 ? alpha * x : x,
  ({ alpha }) => ({ name: 'leakyRelu', p: alpha }),
  { samples: 'alone', channels: homogeneous },
);
