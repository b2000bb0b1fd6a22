// Architectures by name: none is left out, seeds, refusals.
import assert from 'node:assert/strict';
import { GraphError } from '../../../lib/graph/errors.js';
import { simplify } from '../../../lib/graph/passes/index.js';
import { summarize } from '../../../lib/graph/printer.js';
import { ARCHITECTURE_NAMES, buildModel } from '../../../lib/models/index.js';
import { LARGE_ARCHITECTURES } from '../../support/architectures.js';

describe('architectures', () => {
  it('are all tested, here or among the large ones', () => {
    const small = ['mlp', 'convnet2', 'resnet8', 'resnet20', 'mobilenetv2-cifar'];
    assert.deepEqual([...small, ...LARGE_ARCHITECTURES].sort(), [...ARCHITECTURE_NAMES].sort());
  });

  it('resnet8 has ten quantizable nodes, and 77,418 parameters once folded', () => {
    const summary = summarize(simplify(buildModel('resnet8')).graph);
    assert.equal(summary.parameters, 77_418);
    assert.equal(summary.nodes.filter(({ quantizable }) => quantizable).length, 10);
  });

  it('are the same for the same seed, and others for another', () => {
    const weights = (seed: number) => buildModel('resnet8', { seed }).initializers.get('stage1.1.1.conv.weight')?.data;
    assert.deepEqual(weights(3), weights(3));
    assert.notDeepEqual(weights(3), weights(4));
  });

  it('are refused by name, with an impossible image, and with an image too small', () => {
    assert.throws(
      () => buildModel('resnet9' as never),
      /buildModel: name: expected one of mlp, .*, received "resnet9"/,
    );
    assert.throws(() => buildModel('toString' as never), /expected one of/);
    assert.throws(() => buildModel('mlp', { input: [1, 0, 28] }), /input: expected an integer from 1/);
    assert.throws(
      () => buildModel('convnet2', { input: [1, 3, 3] }),
      (error: Error) =>
        error instanceof GraphError && /^MaxPool \(pool2\): a window of \[2,2\] does not fit/.test(error.message),
    );
  });
});
