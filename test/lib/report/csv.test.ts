// Tables as CSV: numbers are exact, intervals have both ends, and texts are neither formulas nor new rows.
import assert from 'node:assert/strict';
import { plain } from '../../../lib/core/text.js';
import { buildDocument, pairNames } from '../../../lib/report/build.js';
import { csvFiles, csvTable } from '../../../lib/report/csv.js';
import { type Table, tablesOf } from '../../../lib/report/document.js';
import { reportSchema } from '../../../lib/report/schema.js';
import { parseCsv } from '../../support/csv.js';
import { HOSTILE } from '../../support/pages.js';
import { reportFixture } from '../../support/report_fixture.js';

const fixture = buildDocument(reportSchema.parse(reportFixture()));

describe('tables as CSV', () => {
  it('parse back to exact numbers and to both ends of intervals', () => {
    const files = csvFiles(fixture);
    assert.equal(files.size, tablesOf(fixture).length, 'a name for each table');
    const [header, ...rows] = parseCsv(files.get('pairs.csv') as string);
    const report = reportSchema.parse(reportFixture());
    const column = (name: string) => rows.map((row) => Number(row[(header as string[]).indexOf(name)]));
    assert.deepEqual(
      column('drop'),
      report.pairs.map(({ drop }) => drop),
    );
    assert.deepEqual(
      column('fpAccuracy_low'),
      report.pairs.map(({ fpInterval }) => fpInterval?.[0]),
    );
    assert.deepEqual(
      column('fpAccuracy_high'),
      report.pairs.map(({ fpInterval }) => fpInterval?.[1]),
    );
    assert.deepEqual(
      rows.map(([name]) => name),
      pairNames(report),
    );
  });

  it('texts are no formulas, in one cell whatever the separator, and parse back', () => {
    for (const text of ['=1+1', '@SUM(A1)', '+1', '-conv', '＝1+1']) {
      const table: Table = {
        kind: 'table',
        name: 'x',
        caption: '',
        columns: [{ key: 'a', label: 'a', unit: 'text' }],
        rows: [[text], [HOSTILE], ['a;=1+1'], ['\n=1+1'], ['\t=1+1']],
      };
      const written = csvTable(table);
      const rest = [[plain(HOSTILE)], ['a;=1+1'], ['\ufffd=1+1'], ['\ufffd=1+1']];
      assert.deepEqual(parseCsv(written), [['a'], [`'${text}`], ...rest]);
      assert.ok(written.includes('\r\n"a;=1+1"\r\n'), 'quoted, for spreadsheets that divide lines at semicolons');
    }
  });
});
