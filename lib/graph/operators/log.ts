// Log: y = ln x.
import { unaryOperator } from './elementwise.js';

export const Log = unaryOperator(
  'Log',
  {},
  () => Math.log,
  () => ({ name: 'log' }),
);
