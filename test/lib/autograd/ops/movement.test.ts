// Operations that move, pick or sum values: values and gradients against the reference.
import { testGradients } from '../../../support/gradient_check.js';

describe('autograd: movement', () => testGradients('movement'));
