// Products of matrices: values and gradients against the reference.
import { testGradients } from '../../../support/gradient_check.js';

describe('autograd: matmul', () => testGradients('matmul'));
