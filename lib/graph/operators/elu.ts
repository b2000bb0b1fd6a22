// Elu: y = x, or alpha · (e^x − 1) below zero; Clevert, Unterthiner & Hochreiter, arXiv 1511.07289.
import { floatNumber } from '../operator.js';
import { unaryOperator } from './elementwise.js';

export const Elu = unaryOperator(
  'Elu',
  { alpha: floatNumber(1) },
  ({ alpha }) =>
    (x) =>
      x < 0 ? alpha * Math.expm1(x) : x,
  ({ alpha }) => ({ name: 'elu', p: alpha }),
);
