// Images of a reproduction: training images split by hash, and data sets that cannot be learned from refused.
import assert from 'node:assert/strict';
import { InvalidArgumentError } from '../../../lib/core/errors.js';
import { loadMaterial } from '../../../lib/reproduce/material.js';
import { writeStripes } from '../../support/stripes.js';
import { temporaryFolder } from '../../support/temporary_folder.js';

describe('images of a reproduction', () => {
  const file = temporaryFolder();
  before(() => writeStripes(file('stripes.npz'), 60, 20));

  it('held-out images are as many as asked for, the same from the same seed', async () => {
    const load = (seed: number) => loadMaterial(file('stripes.npz'), { validation: 12, seed });
    const { train, validation, test, classNames } = await load(1);
    assert.deepEqual([train.count, validation.count, test.count, classNames.length], [48, 12, 20, 4]);
    assert.deepEqual((await load(1)).validation.pixels, validation.pixels);
    assert.notDeepEqual((await load(2)).validation.pixels, validation.pixels);
  });

  it('holds out a fifth at most, and refuses to hold out none', async () => {
    const { validation } = await loadMaterial(file('stripes.npz'), { validation: 5000, seed: 1 });
    assert.equal(validation.count, 12);
    for (const count of [0, 1.5]) {
      await assert.rejects(loadMaterial(file('stripes.npz'), { validation: count, seed: 0 }), InvalidArgumentError);
    }
  });
});
