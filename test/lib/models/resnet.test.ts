// The small ResNets.
import { testArchitecture } from '../../support/architectures.js';

describe('architectures: ResNet', () => {
  for (const name of ['resnet8', 'resnet20'] as const) testArchitecture(name);
});
