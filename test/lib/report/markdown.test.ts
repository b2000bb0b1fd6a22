// A report as Markdown: tables parse back to their cells, and names stay text in their cell.
import assert from 'node:assert/strict';
import { buildDocument } from '../../../lib/report/build.js';
import { column, type Document, type Table, tablesOf } from '../../../lib/report/document.js';
import { formatCell } from '../../../lib/report/format.js';
import { escapeMarkdown, markdownReport, markdownTable } from '../../../lib/report/markdown.js';
import { reportSchema } from '../../../lib/report/schema.js';
import { HOSTILE } from '../../support/pages.js';
import { reportFixture } from '../../support/report_fixture.js';

const fixture = buildDocument(reportSchema.parse(reportFixture()));

describe('report as Markdown', () => {
  it('Markdown tables parse back to the cells', () => {
    for (const table of tablesOf(fixture)) {
      const lines = markdownTable(table).split('\n');
      const cells = lines.map((line) =>
        line
          .slice(1, -1)
          .split(/(?<!\\)\|/)
          .map((text) => text.trim()),
      );
      assert.equal(cells.length, table.rows.length + 2);
      table.rows.forEach((row, index) => {
        const texts = (cells[index + 2] as string[]).map((text) => text.replace(/\\(.)/g, '$1'));
        assert.deepEqual(
          texts,
          table.columns.map(({ unit }, at) => formatCell(row[at], unit)),
        );
      });
    }
  });

  it('hostile names stay text in their cell', () => {
    const table: Table = {
      kind: 'table',
      name: 'x',
      caption: '',
      columns: [{ key: 'a', label: HOSTILE, unit: 'text' }],
      rows: [[HOSTILE]],
    };
    const lines = markdownTable(table).split('\n');
    assert.equal(lines.length, 3);
    for (const line of [lines[0], lines[2]]) {
      // Two bars that are not escaped: the ends of the line.
      assert.equal((line as string).match(/(?<!\\)\|/g)?.length, 2);
      assert.ok(!/(?<!\\)[<[*`]/.test(line as string));
    }
  });

  it('writes every kind of block, and the rows that it leaves out are counted', () => {
    const table: Table = {
      kind: 'table',
      name: 'many',
      caption: 'Many *rows*',
      columns: [column('a', 'a', 'count')],
      rows: Array.from({ length: 63 }, (_, i) => [i]),
    };
    const document: Document = {
      title: 'A title',
      lead: 'The lead.',
      facts: [{ label: 'drop', value: '1.00', unit: 'points', note: 'of 3' }],
      sections: [
        {
          id: 'a',
          title: 'A section',
          blocks: [
            { kind: 'verdict', level: 'bad', word: 'unsafe', text: 'why' },
            { kind: 'list', items: ['one', 'two'] },
            { kind: 'pictures', caption: 'Pictures', pictures: [{ source: 'data:,', alt: 'a shoe', caption: '' }] },
            table,
          ],
        },
      ],
      footer: 'footer',
    };
    const parts = markdownReport(document).trimEnd().split('\n\n');
    assert.deepEqual(parts.slice(0, 7), [
      '# A title',
      'The lead.',
      '- drop: **1.00 points** of 3',
      '## A section',
      '**unsafe**: why',
      '- one\n- two',
      'Pictures\n- a shoe',
    ]);
    assert.equal(parts[7], '*Many \\*rows\\**');
    assert.equal(parts[8]?.split('\n').length, 2 + 60);
    assert.deepEqual(parts.slice(9), ['… and 3 rows more in many.csv', 'footer']);
    assert.equal(escapeMarkdown('a_b\r\n#1'), 'a\\_b \\#1');
  });

  it('no text is a link, a mention, a formula, a heading or a list', () => {
    const escaped = {
      'see https://example.org': 'see https\\://example.org',
      'www.example.org': 'www\\.example.org',
      'a@example.org': 'a\\@example.org',
      $x$: '\\$x\\$',
      '- item': '\\- item',
      '1. item': '1\\. item',
      '===': '\\===',
      '    code': 'code',
      '1.50': '1.50',
      '-0.5': '-0.5',
    };
    for (const [text, expected] of Object.entries(escaped)) assert.equal(escapeMarkdown(text), expected);
  });
});
