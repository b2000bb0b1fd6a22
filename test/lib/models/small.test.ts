// mlp and convnet2.
import { testArchitecture } from '../../support/architectures.js';

describe('architectures: small', () => {
  for (const name of ['mlp', 'convnet2'] as const) testArchitecture(name);
});
