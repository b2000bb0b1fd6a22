// Operations on two values, broadcast: values and gradients against the reference.
import { testGradients } from '../../../support/gradient_check.js';

describe('autograd: binary', () => testGradients('binary'));
