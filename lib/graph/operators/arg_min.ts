// ArgMin: where along an axis the least element is.
import { argExtreme } from './arg_extreme.js';

export const argMin = argExtreme('ArgMin', (a, b) => a < b);
