// Sections of stress: means over corruptions, one map for many networks, columns that any row fills.
import assert from 'node:assert/strict';
import type { Table } from '../../../../lib/report/document.js';
import { reportSchema } from '../../../../lib/report/schema.js';
import { corruptionSection, indicatorSection, mitigationSection } from '../../../../lib/report/sections/stress.js';
import { reportFixture } from '../../../support/report_fixture.js';

const report = reportSchema.parse(reportFixture());
const cell = (network: string, corruption: string, severity: number, drop: number, family?: string) => ({
  ...{ network, corruption, severity, policy: 'W4A4', fpAccuracy: 90, quantizedAccuracy: 90 - drop, drop },
  ...(family === undefined ? {} : { family }),
});
const sectionOf = (grid: ReturnType<typeof cell>[]) => corruptionSection({ corruptions: { grid } as never });

describe('section of corruptions', () => {
  it('means and worst drops by network, range attacks apart', () => {
    const grid = [cell('a', 'fog', 1, 10), cell('a', 'fog', 3, 30), cell('a', 'bright_pixel', 1, 80, 'range')];
    const table = sectionOf(grid)[0]?.blocks[1] as Table;
    assert.deepEqual(table.rows, [
      ['a, W4A4', 90, 70, 20, 30],
      ['a, W4A4; range attacks', 90, 10, 80, 80],
    ]);
  });

  it('one map a network, one for all where there are more than two', () => {
    const names = (networks: string[]) =>
      sectionOf(networks.map((name) => cell(name, 'fog', 1, 5)))[0]?.blocks.flatMap((block) =>
        block.kind === 'chart' ? [block.name] : [],
      );
    assert.deepEqual(names(['a', 'b']), ['corruptions-a, W4A4', 'corruptions-b, W4A4']);
    assert.deepEqual(names(['a', 'b', 'c']), ['corruptions-networks']);
    assert.deepEqual(corruptionSection({ corruptions: undefined }), []);
  });
});

describe('tables of indicators and cures', () => {
  const keysOf = ([section]: readonly { readonly blocks: readonly unknown[] }[]) =>
    ((section?.blocks ?? []) as Table[]).find(({ kind }) => kind === 'table')?.columns.map(({ key }) => key);

  it('have the columns that any row fills', () => {
    assert.deepEqual(keysOf(indicatorSection(report)), ['indicator', 'value', 'spearman', 'auroc', 'note']);
    const indicators = [{ indicator: 'margin', values: { net: 1 } }];
    assert.deepEqual(keysOf(indicatorSection({ indicators } as never)), ['indicator', 'net']);
    assert.ok(!keysOf(mitigationSection(report))?.includes('scene'));
  });

  it('cures that were not applied are in the table, not in the chart', () => {
    const cures = [
      { network: 'n', cure: 'a', fpAccuracy: 90, before: 10, after: 80, kept: true },
      { network: 'n', cure: 'b', fpAccuracy: 90, before: 10, after: 10, kept: false, applied: false },
    ];
    const [chart, table] = mitigationSection({ mitigation: cures, diagnosis: undefined })[0]?.blocks ?? [];
    assert.ok(chart?.kind === 'chart' && chart.data.type === 'ranges' && table?.kind === 'table');
    assert.equal(chart.data.rows.length, 1);
    assert.equal(table.rows.length, 2);
  });
});
