// Softmax: values and gradients against the reference.
import { testGradients } from '../../../support/gradient_check.js';

describe('autograd: softmax', () => testGradients('softmax'));
