// ArgMin: where along an axis the least element is.
import { argExtreme } from './arg_extreme.js';

export const ArgMin = argExtreme('ArgMin', (a, b) => a < b);
