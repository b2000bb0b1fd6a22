// An evaluation as a document: accuracy in percent, the count behind it, the loss.
import assert from 'node:assert/strict';
import { InvalidArgumentError } from '../../../../lib/core/errors.js';
import { tablesOf } from '../../../../lib/report/document.js';
import { evaluationTable, kind } from '../../../../lib/report/kinds/evaluate.js';
import { terminalReport } from '../../../../lib/report/terminal.js';
import { checkDocument, documentOf } from '../../../support/documents.js';

const evaluation = { images: 400, correct: 301, accuracy: 301 / 400, loss: 0.71238 };
const result = { schema: 'faultline.evaluate/1', model: 'folder/net.onnx', ...evaluation };

describe('document of an evaluation', () => {
  it('says accuracy, count and loss', async () => {
    const document = await documentOf(kind, result);
    checkDocument(document, ['Accuracy of net.onnx', '75.25', '301', '0.7124']);
    assert.match(terminalReport(document), /75\.25 % \(301 of 400\), loss 0\.7124/);
    assert.deepEqual(tablesOf(document)[0]?.rows, [['evaluated', 75.25, 301, 400, 0.71238]]);
  });

  it('a table has a row for each set of images', () => {
    const { rows } = evaluationTable([
      ['held out', evaluation],
      ['test', evaluation],
    ]);
    assert.deepEqual(
      rows.map(([name]) => name),
      ['held out', 'test'],
    );
  });

  it('refuses an accuracy above 1, and a count that is none', () => {
    for (const wrong of [{ accuracy: 1.01 }, { correct: 0.5 }, { images: -1 }]) {
      assert.throws(() => kind.check({ ...result, ...wrong }), InvalidArgumentError);
    }
  });
});
