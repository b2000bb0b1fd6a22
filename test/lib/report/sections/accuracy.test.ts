// The table of pairs: means over seeds, and the answers to uniform policies.
import assert from 'node:assert/strict';
import { buildDocument } from '../../../../lib/report/build.js';
import { type Table, tablesOf } from '../../../../lib/report/document.js';
import { type ReportInput, reportSchema } from '../../../../lib/report/schema.js';
import { reportFixture } from '../../../support/report_fixture.js';

const documentOf = (report: ReportInput) => buildDocument(reportSchema.parse(report));

describe('section of accuracy', () => {
  it('means over seeds stand where there are several', () => {
    const report = reportFixture();
    const [pair] = report.pairs ?? [];
    if (!pair) throw new Error('the fixture has a pair');
    const again = { ...pair, seed: 1, drop: pair.drop - 10, quantizedAccuracy: pair.quantizedAccuracy + 10 };
    const document = documentOf({ ...report, pairs: [pair, again] });
    const table = tablesOf(document).find(({ name }) => name === 'pairs-mean');
    assert.equal(table?.rows.length, 1);
    const [, seeds, , , drop, deviation] = (table as Table).rows[0] as number[];
    assert.equal(seeds, 2);
    assert.ok(Math.abs((drop as number) - (pair.drop - 5)) < 1e-9);
    assert.ok(Math.abs((deviation as number) - Math.sqrt(50)) < 1e-9);
  });
});
