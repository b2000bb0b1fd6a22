// Log: y = ln x.
import { unary } from './elementwise.js';

export const log = unary(
  'Log',
  {},
  () => Math.log,
  () => ({ name: 'log' }),
);
