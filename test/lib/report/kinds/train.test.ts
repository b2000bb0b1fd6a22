// A training as a document: accuracies of held-out and test images, and the recipe that decides them.
import assert from 'node:assert/strict';
import { InvalidArgumentError } from '../../../../lib/core/errors.js';
import { tablesOf } from '../../../../lib/report/document.js';
import { kind } from '../../../../lib/report/kinds/train.js';
import { checkDocument, documentOf } from '../../../support/documents.js';

const test = { images: 200, correct: 150, accuracy: 0.75, loss: 0.6 };
const result = {
  schema: 'faultline.train/1',
  ...{ model: 'net.onnx', arch: 'convnet2', data: 'fashion-mnist', threads: 2, steps: 90, seconds: 75, test },
  recipe: { epochs: 3, batchSize: 32, seed: 7, schedule: { kind: 'cosine' } },
  images: { train: 960, validation: 40, test: 200 },
};

describe('document of a training', () => {
  it('says what was reached, in what time, by which recipe', async () => {
    const document = await documentOf(kind, result);
    checkDocument(document, ['convnet2 on fashion-mnist', '75.00', '1 min 15 s', 'batchSize', 'cosine']);
    const [accuracy, recipe] = tablesOf(document);
    assert.deepEqual(
      accuracy?.rows.map(([name]) => name),
      ['test'],
    );
    assert.deepEqual(recipe?.rows.slice(0, 4), [
      ['images', '{"train":960,"validation":40,"test":200}'],
      ['threads', '2'],
      ['epochs', '3'],
      ['batchSize', '32'],
    ]);
    assert.equal(document.footer, 'faultline · seed 7');
  });

  it('held-out images have a row where there are some', async () => {
    const document = await documentOf(kind, { ...result, validation: test });
    assert.deepEqual(
      tablesOf(document)[0]?.rows.map(([name]) => name),
      ['held out', 'test'],
    );
  });

  it('refuses a training without test images or seed', () => {
    assert.throws(() => kind.check({ ...result, test: undefined }), InvalidArgumentError);
    assert.throws(() => kind.check({ ...result, recipe: { epochs: 1, batchSize: 1 } }), /recipe\.seed/);
  });
});
