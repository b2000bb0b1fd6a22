// Training by the name of an architecture: its recipe with what is replaced, and the images that are held out.
import assert from 'node:assert/strict';
import { TEACHER } from '../../../lib/train/recipes.js';
import { trainArchitecture } from '../../../lib/train/train_architecture.js';
import { QUARTERS_NORMALIZATION, quarters } from '../../support/quarters.js';

const dataset = {
  ...{ name: 'quarters', classNames: ['a', 'b', 'c', 'd'], normalization: QUARTERS_NORMALIZATION },
  ...{ train: quarters(160, 1), test: quarters(40, 2) },
};

describe('training of an architecture', () => {
  it('has the recipe of the architecture, but for what the options say', async () => {
    const own = { epochs: 1, batchSize: 40, rate: 0.002, augment: true, seed: 4 };
    const { recipe } = await trainArchitecture(dataset, { architecture: 'convnet2', ...own });
    assert.deepEqual(recipe, {
      ...TEACHER,
      ...{ epochs: 1, batchSize: 40, seed: 4, bf16: false, augmentation: { flip: true, crop: 2 } },
      optimizer: { ...TEACHER.optimizer, rate: 0.002 },
    });
  });

  it('counts the images that are learned from, held out and tested on', async () => {
    const options = { architecture: 'convnet2', epochs: 1, batchSize: 40, validation: 30, seed: 1 } as const;
    const { images, steps, validation, test, graph } = await trainArchitecture(dataset, options);
    assert.equal(images.train + images.validation, 160);
    assert.deepEqual([images.test, test.images, validation?.images], [40, 40, images.validation]);
    assert.equal(steps, Math.floor(images.train / 40));
    assert.deepEqual(graph.inputs[0]?.dims?.slice(1), [1, 8, 8]);
  });

  it('refuses data without training images', async () => {
    const { train: _, ...rest } = dataset;
    await assert.rejects(trainArchitecture(rest, { architecture: 'convnet2' }), /a set with training images/);
  });
});
