// The registry of document kinds: each is found by the schema that it says, others are refused.
import assert from 'node:assert/strict';
import { InvalidArgumentError } from '../../../lib/core/errors.js';
import { checkResult, kindNamed, SCHEMAS } from '../../../lib/report/kinds.js';

describe('kinds of documents', () => {
  it('are found by their schema', async () => {
    for (const schema of SCHEMAS) assert.equal((await kindNamed(schema)).schema, schema);
  });

  it('refuse what is of none, and results that are not whole', async () => {
    for (const value of [undefined, null, 1, {}, { schema: 'faultline.none/1' }, { schema: 'toString' }]) {
      await assert.rejects(checkResult(value), InvalidArgumentError);
    }
    for (const schema of SCHEMAS.filter((name) => name !== 'faultline.report/1')) {
      await assert.rejects(checkResult({ schema }), InvalidArgumentError, schema);
    }
  });
});
