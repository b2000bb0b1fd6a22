// Convolutions: values and gradients against the reference.
import { testGradients } from '../../../support/gradient_check.js';

describe('autograd: conv2d', () => testGradients('conv2d'));
