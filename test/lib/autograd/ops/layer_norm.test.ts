// Layer normalization: values and gradients against the reference.
import { testGradients } from '../../../support/gradient_check.js';

describe('autograd: layer_norm', () => testGradients('layer_norm'));
