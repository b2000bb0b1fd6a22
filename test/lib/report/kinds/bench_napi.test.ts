// A call from JavaScript as a document: both times and their difference.
import assert from 'node:assert/strict';
import { tablesOf } from '../../../../lib/report/document.js';
import { kind } from '../../../../lib/report/kinds/bench_napi.js';
import { checkDocument, documentOf } from '../../../support/documents.js';

describe('document of a call from JavaScript', () => {
  it('has both times and their difference, which is the sentence', async () => {
    const times = { javascriptUs: 2.5, nativeUs: 1.25, overheadUs: 1.25 };
    const document = await documentOf(kind, { schema: 'faultline.bench-napi/1', shape: '1x16x16', ...times });
    checkDocument(document, ['matmulDynamic 1x16x16', 'JavaScript']);
    assert.match(document.lead, /^1\.25 µs/);
    assert.deepEqual(tablesOf(document)[0]?.rows, [
      ['JavaScript', 2.5],
      ['C++', 1.25],
      ['the difference', 1.25],
    ]);
  });
});
