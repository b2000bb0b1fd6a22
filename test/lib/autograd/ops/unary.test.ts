// Functions of one value: values and gradients against the reference.
import { testGradients } from '../../../support/gradient_check.js';

describe('autograd: unary', () => testGradients('unary'));
