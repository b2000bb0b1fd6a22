// The registry of kinds: every schema has its module, whose name says so.
import assert from 'node:assert/strict';
import { InvalidArgumentError } from '../../../lib/core/errors.js';
import { checkResult, kindNamed, SCHEMAS } from '../../../lib/report/kinds.js';

describe('registry of kinds', () => {
  it('each schema leads to the kind of its name, an earlier one to the one of today', async () => {
    const earlier = ['faultline.assess/1'];
    for (const schema of SCHEMAS) {
      const { schema: today } = await kindNamed(schema);
      if (!earlier.includes(schema)) assert.equal(today, schema);
      assert.equal(today.split('/')[0], schema.split('/')[0]);
    }
    assert.equal(new Set(SCHEMAS).size, SCHEMAS.length);
  });

  it('a result is checked by the kind that it names', async () => {
    const value = {
      schema: 'faultline.evaluate/1',
      model: 'a/net.onnx',
      images: 2,
      correct: 1,
      accuracy: 0.5,
      loss: 1,
    };
    const { schema, result, document } = await checkResult(value);
    assert.deepEqual([schema, result, document.title], [value.schema, value, 'Accuracy of net.onnx']);
  });

  it('refuses what names no kind', async () => {
    for (const value of [undefined, null, 3, {}, { schema: 1 }, { schema: 'faultline.scan/99' }]) {
      await assert.rejects(
        checkResult(value),
        (error) => error instanceof InvalidArgumentError && error.argument === 'schema',
      );
    }
  });
});
