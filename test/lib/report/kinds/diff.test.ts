// A difference of two results as a document: worse figures first, by table, and what only one of the two has.
import assert from 'node:assert/strict';
import { InvalidArgumentError } from '../../../../lib/core/errors.js';
import { tablesOf } from '../../../../lib/report/document.js';
import { kind } from '../../../../lib/report/kinds/diff.js';
import { terminalReport } from '../../../../lib/report/terminal.js';
import { checkDocument, documentOf } from '../../../support/documents.js';

const change = (judgement: string, table: string, before: string, after: string) => ({
  ...{ table, row: 'W8A8', figure: 'drop', before, after, judgement },
});
const result = {
  schema: 'faultline.diff/1',
  ...{ before: 'runs/a', after: 'runs/b', kind: 'faultline.assess/2', compared: 12 },
  changes: [
    change('changed', 'time', '1.0', '2.0'),
    change('better', 'policies', '3.00', '1.00'),
    change('worse', 'policies', '1.00', '3.00'),
    change('worse', 'layers', '0.10', '0.90'),
  ],
  onlyBefore: ['policies: W2A2'],
  onlyAfter: [],
};

describe('document of a difference', () => {
  it('has worse, better and other changes in this order, a table for each table', async () => {
    const document = await documentOf(kind, result);
    checkDocument(document, ['runs/a and runs/b', '3.00', 'Only in runs/a', 'W2A2']);
    assert.deepEqual(
      document.sections.map(({ id }) => id),
      ['worse', 'better', 'changed', 'only-before'],
    );
    assert.deepEqual(
      tablesOf(document).map(({ name }) => name),
      ['worse-policies', 'worse-layers', 'better-policies', 'changed-time'],
    );
    assert.match(document.lead, /^Of 12 figures 2 got worse and 1 better, beyond their intervals; 1 other changed\.$/);
  });

  it('what is neither better nor worse stays off the terminal', async () => {
    const text = terminalReport(await documentOf(kind, result));
    assert.match(text, /^layers +W8A8 +drop +0\.10 +0\.90$/m);
    assert.doesNotMatch(text, /^time /m);
  });

  it('refuses a judgement that there is not', () => {
    const changes = [change('odd', 'policies', '', '')];
    assert.throws(() => kind.check({ ...result, changes }), InvalidArgumentError);
  });
});
