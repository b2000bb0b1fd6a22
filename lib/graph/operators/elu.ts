// Elu: y = x, or alpha · (e^x − 1) below zero; Clevert, Unterthiner & Hochreiter, arXiv 1511.07289.
import { float } from '../operator.js';
import { unary } from './elementwise.js';

export const Elu = unary(
  'Elu',
  { alpha: float(1) },
  ({ alpha }) =>
    (x) =>
      x < 0 ? alpha * Math.expm1(x) : x,
  ({ alpha }) => ({ name: 'elu', p: alpha }),
);
