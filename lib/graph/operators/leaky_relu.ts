// LeakyRelu: y = x, or alpha · x below zero.
import { floatNumber } from '../operator.js';
import { homogeneous } from './channels.js';
import { unaryOperator } from './elementwise.js';

export const LeakyRelu = unaryOperator(
  'LeakyRelu',
  { alpha: floatNumber(Math.fround(0.01)) },
  ({ alpha }) =>
    (x) =>
      x < 0 ? alpha * x : x,
  ({ alpha }) => ({ name: 'leakyRelu', p: alpha }),
  { samples: 'alone', channels: homogeneous },
);
