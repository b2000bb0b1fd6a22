// The schema of faultline.report/1: written and read, what it keeps, what it refuses.
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InvalidArgumentError } from '../../../lib/core/errors.js';
import { buildDocument } from '../../../lib/report/build.js';
import { csvFiles } from '../../../lib/report/csv.js';
import { htmlReport } from '../../../lib/report/html/page.js';
import { kind } from '../../../lib/report/kinds/report.js';
import { markdownReport } from '../../../lib/report/markdown.js';
import { readResult } from '../../../lib/report/read.js';
import { type ReportInput, reportSchema } from '../../../lib/report/schema.js';
import { terminalReport } from '../../../lib/report/terminal.js';
import { writeReport } from '../../../lib/report/write.js';
import { reportFixture } from '../../support/report_fixture.js';

const documentOf = (report: ReportInput) => buildDocument(reportSchema.parse(report));
const fixture = documentOf(reportFixture());

describe('report: schema', () => {
  it('a report survives being written and read', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'faultline-report-'));
    try {
      const written = await writeReport(folder, reportFixture());
      assert.deepEqual((await readResult(folder)).result, written);
      assert.deepEqual(written, reportSchema.parse(reportFixture()));
      const names = (await readdir(folder)).sort();
      assert.deepEqual(names, ['report.html', 'report.json', 'report.md', 'tables']);
      assert.deepEqual((await readdir(join(folder, 'tables'))).sort(), [...csvFiles(fixture).keys()].sort());
      assert.equal(await readFile(join(folder, 'report.md'), 'utf8'), markdownReport(fixture));
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('fields that it does not know are kept', () => {
    const report = reportSchema.parse({ ...reportFixture(), later: { x: 1 } });
    assert.deepEqual(report.later, { x: 1 });
  });

  it('what is wrong is named', () => {
    const report = reportFixture();
    const broken = { ...report, pairs: [{ ...report.pairs?.[0], drop: 101 }] };
    assert.throws(
      () => kind.check(broken),
      (error) => error instanceof InvalidArgumentError && /pairs\.0\.drop/.test(error.message),
    );
    assert.throws(() => kind.check({ schema: 'faultline.report/2' }), InvalidArgumentError);
  });

  it('the least report there is has all formats', () => {
    const least = documentOf({ schema: 'faultline.report/1' });
    for (const format of [htmlReport, markdownReport, terminalReport]) assert.ok(format(least).includes(least.title));
  });
});
