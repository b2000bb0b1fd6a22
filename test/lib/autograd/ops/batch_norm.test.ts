// Batch and instance normalization: values and gradients against the reference.
import { testGradients } from '../../../support/gradient_check.js';

describe('autograd: batch_norm', () => testGradients('batch_norm'));
