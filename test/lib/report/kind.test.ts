// Kinds of documents: what their schemas accept, and the field that they name where they do not.
import assert from 'node:assert/strict';
import { z } from 'zod';
import { InvalidArgumentError } from '../../../lib/core/errors.js';
import { decibels, defineKind, share } from '../../../lib/report/kind.js';

const kind = defineKind({
  schema: 'faultline.test/1',
  result: z.looseObject({
    schema: z.literal('faultline.test/1'),
    layers: z.array(z.object({ sqnrDb: decibels, share })),
  }),
  document: ({ layers }) => ({
    ...{ title: String(layers[0]?.sqnrDb), lead: '', facts: [], sections: [], footer: '' },
  }),
});
const result = (layer: unknown) => ({ schema: 'faultline.test/1', layers: [layer] });

describe('kind of document', () => {
  it('infinite decibels survive JSON, and unknown fields are kept', () => {
    const checked = kind.check({ ...result({ sqnrDb: Number.POSITIVE_INFINITY, share: 1 }), later: 1 });
    assert.deepEqual(checked, { ...result({ sqnrDb: Number.POSITIVE_INFINITY, share: 1 }), later: 1 });
    assert.deepEqual(kind.check(JSON.parse(JSON.stringify(checked))), checked);
    assert.equal(kind.document(checked).title, 'Infinity');
  });

  it('a result is checked as its JSON: typed arrays are lists', () => {
    const numbers = defineKind({
      schema: 'n',
      result: z.object({ values: z.array(z.number()) }),
      document: kind.document as never,
    });
    assert.deepEqual(numbers.check({ values: Float32Array.of(1, 2) }), { values: [1, 2] });
  });

  it('the first wrong field is named', () => {
    const refused = (value: unknown, message: RegExp) =>
      assert.throws(
        () => kind.check(value),
        (error) => error instanceof InvalidArgumentError && message.test(error.message),
      );
    refused(result({ sqnrDb: 1, share: 1.5 }), /layers\.0\.share: expected what faultline\.test\/1 says/);
    refused({ ...result({ sqnrDb: 1, share: 1 }), schema: 'x' }, /schema/);
    refused(7, /result/);
  });
});
