// MobileNetV2 for small images.
import { testArchitecture } from '../../support/architectures.js';

describe('architectures: MobileNet', () => testArchitecture('mobilenetv2-cifar'));
