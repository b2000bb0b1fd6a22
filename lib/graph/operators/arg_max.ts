// ArgMax: where along an axis the largest element is.
import { argExtreme } from './arg_extreme.js';

export const ArgMax = argExtreme('ArgMax', (a, b) => a > b, 'choice');
