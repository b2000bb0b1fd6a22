// What figures rest on: references, assumptions and provenance, each only where there is any.
import assert from 'node:assert/strict';
import { reportSchema } from '../../../../lib/report/schema.js';
import { assumptionSection, provenanceSection, referenceSection } from '../../../../lib/report/sections/context.js';
import { reportFixture } from '../../../support/report_fixture.js';

const report = reportSchema.parse(reportFixture());
const empty = reportSchema.parse({ schema: 'faultline.report/1' });

describe('sections of context', () => {
  it('are there where there is something to say', () => {
    for (const section of [assumptionSection, provenanceSection, referenceSection]) {
      assert.deepEqual(section(empty), []);
      assert.equal(section(report).length, 1);
    }
  });

  it('provenance: lists and sizes in words, hashes by file, stages as a chart', () => {
    const [time, table] = provenanceSection(report)[0]?.blocks ?? [];
    assert.ok(time?.kind === 'chart' && time.data.type === 'bars' && table?.kind === 'table');
    assert.deepEqual(
      time.data.bars.map(({ label }) => label),
      report.provenance?.stages?.map(({ name }) => name),
    );
    const rows = new Map(table.rows as [string, string][]);
    assert.equal(rows.get('images'), 'train 55000, validation 5000, test 10000');
    assert.equal(rows.get('peak memory'), '812 MiB');
    assert.equal(rows.get('total time'), '2 min 41 s');
    assert.ok(rows.has('SHA-256 of teacher.onnx'));
  });

  it('what is not known has no row', () => {
    const { provenance } = report;
    if (!provenance) throw new Error('the fixture has a provenance');
    const { cpu: _, stages: __, ...rest } = provenance;
    const blocks = provenanceSection({ ...report, provenance: rest as typeof provenance })[0]?.blocks ?? [];
    assert.equal(blocks.length, 1);
    const [table] = blocks;
    assert.ok(table?.kind === 'table' && !table.rows.some(([what]) => what === 'processor'));
  });
});
