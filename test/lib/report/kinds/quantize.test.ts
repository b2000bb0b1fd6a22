// A quantized file as a document: sizes, forms of nodes, and each remark once with the nodes that it is about.
import assert from 'node:assert/strict';
import { InvalidArgumentError } from '../../../../lib/core/errors.js';
import { tablesOf } from '../../../../lib/report/document.js';
import { kind } from '../../../../lib/report/kinds/quantize.js';
import { terminalReport } from '../../../../lib/report/terminal.js';
import { checkDocument, documentOf } from '../../../support/documents.js';

const result = {
  schema: 'faultline.quantize/1',
  ...{ model: 'folder/net.onnx', out: 'net.int8.onnx', bytes: 2048, weightBytes: 7700, format: 'dynamic' },
  nodes: [
    { node: 'stem', form: 'ConvInteger', bits: 'W8A8', remarks: ['saturates'] },
    { node: 'body', form: 'ConvInteger', bits: 'W4A8', remarks: ['saturates', 'unpacked'] },
    { node: 'head', form: 'float32', remarks: [] },
  ],
};

describe('document of a quantized file', () => {
  it('says sizes, how many nodes took which form, and every remark once', async () => {
    const document = await documentOf(kind, result);
    checkDocument(document, ['net.onnx, quantized', 'ConvInteger', 'W4A8']);
    assert.equal(document.lead, 'net.int8.onnx: 2 KiB (was 8 KiB); ConvInteger 2, float32 1');
    const text = terminalReport(document);
    assert.match(text, /^2 nodes: saturates \(stem, body\)$/m);
    assert.match(text, /^1 node: unpacked \(body\)$/m);
    assert.deepEqual(tablesOf(document)[0]?.rows, [
      ['stem', 'W8A8', 'ConvInteger', 'saturates'],
      ['body', 'W4A8', 'ConvInteger', 'saturates; unpacked'],
      ['head', undefined, 'float32', ''],
    ]);
  });

  it('refuses a node without a form', () => {
    const refusal = (error: unknown) => error instanceof InvalidArgumentError && /nodes\.0\.form/.test(error.message);
    assert.throws(() => kind.check({ ...result, nodes: [{ node: 'stem', remarks: [] }] }), refusal);
  });
});
