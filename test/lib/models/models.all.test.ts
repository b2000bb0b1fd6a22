// The large architectures, tested as models.test.ts tests the others.
import assert from 'node:assert/strict';
import { LARGE_ARCHITECTURES, standard, testArchitecture } from '../../support/architectures.js';

describe('large architectures', () => {
  for (const name of LARGE_ARCHITECTURES) testArchitecture(name);

  it('begin with the Kaiming fan-out deviation, √(2 / (out · kernel area))', () => {
    const graph = standard('resnet18-cifar');
    const weight = graph.initializers.get('stage4.1.2.conv.weight')?.data as Float32Array; // 2.4 million numbers
    const meanSquare = weight.reduce((sum, value) => sum + value * value, 0) / weight.length;
    // The deviation of a mean of n squares of normal numbers is √(2/n) of it: 0.1 % here, 6 of which are 0.6 %.
    assert.ok(Math.abs((meanSquare * (512 * 9)) / 2 - 1) < 6 * Math.sqrt(2 / weight.length));
  });
});
