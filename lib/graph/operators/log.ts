// Log: y = ln x.
import { unary } from './elementwise.js';

export const Log = unary(
  'Log',
  {},
  () => Math.log,
  () => ({ name: 'log' }),
);
