// Pooling: values and gradients against the reference.
import { testGradients } from '../../../support/gradient_check.js';

describe('autograd: pool2d', () => testGradients('pool2d'));
