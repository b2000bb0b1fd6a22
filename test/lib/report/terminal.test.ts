// A Document on the terminal: 80 columns, what is brief, and nothing else.
import assert from 'node:assert/strict';
import { buildDocument } from '../../../lib/report/build.js';
import { type Block, column, type Document } from '../../../lib/report/document.js';
import { reportSchema } from '../../../lib/report/schema.js';
import { terminalReport, terminalTable } from '../../../lib/report/terminal.js';
import { HOSTILE } from '../../support/pages.js';
import { namedFixture, reportFixture } from '../../support/report_fixture.js';

const fixture = buildDocument(reportSchema.parse(reportFixture()));

const documentOf = (blocks: readonly Block[]): Document => ({
  title: 'title',
  lead: 'what was found',
  facts: [
    { label: 'one', value: '1', note: '' },
    { label: 'two', value: '2', note: '', brief: false },
  ],
  sections: [{ id: 'a', title: 'Section', blocks }],
  footer: '',
});

describe('a document on the terminal', () => {
  it('the terminal form keeps to 80 columns and says the main figures', () => {
    const text = terminalReport(fixture);
    for (const line of text.split('\n')) assert.ok([...line].length <= 80, line);
    for (const figure of ['91.30', '−77.53', '13.41', '−81.30', '2 min 41 s']) assert.ok(text.includes(figure), figure);
  });

  it('wide tables and East Asian names keep to 80 columns too', () => {
    const columns = Array.from({ length: 9 }, (_, i) => ({
      key: `c${i}`,
      label: `column ${i}`,
      unit: 'text' as const,
    }));
    const wide = terminalTable({ columns, rows: [columns.map(() => '量子化された層の名前')] });
    for (const line of wide) {
      const width = [...line].reduce((sum, character) => sum + (character > '\u2fff' ? 2 : 1), 0);
      assert.ok(width <= 80, line);
    }
  });

  it('breaks sentences in cells between words, and cuts what is one word', () => {
    const note = 'the worst static policy found, chosen on validation images';
    const name = `layer.${'x'.repeat(100)}.conv`;
    const rows = [
      [name, 1, note],
      ['short', 2, ''],
    ];
    const columns = [column('a', 'layer', 'text'), column('b', 'drop', 'points'), column('c', 'note', 'text')];
    const lines = terminalTable({ columns, rows });
    assert.ok(lines.every((line) => line.length <= 80));
    const words = lines.join(' ').split(/\s+/);
    for (const word of note.split(' ')) assert.ok(words.includes(word), word);
    assert.equal(words.filter((word) => word.includes('…')).length, 1);
    assert.match(lines.at(-1) as string, /^short +2\.00$/);
  });

  it('breaks headings between words before it cuts a name', () => {
    const policy = 'detrimental, static, 6 bits';
    const columns = ['indicator', policy, policy, policy].map((label, i) => {
      return { key: `c${i}`, label, unit: i === 0 ? ('text' as const) : ('number' as const) };
    });
    const lines = terminalTable({ columns, rows: [['first-order noise of weights', 1, 22.5, 3]] });
    assert.ok(lines.length > 2);
    assert.match(lines.at(-1) as string, /^first-order noise of weights +1\.00 +22\.5 +3\.00$/);
    const headings = lines.slice(0, -1).join(' ');
    for (const word of policy.split(' ')) assert.equal(headings.split(word).length, 4, headings);
    assert.match(lines.at(-2) as string, /^indicator /);
  });

  it('shows brief blocks alone, a verdict in place of the lead', () => {
    const table = (name: string, brief: boolean): Block => ({
      kind: 'table',
      name,
      caption: `caption of ${name}`,
      brief,
      briefRows: 1,
      columns: [column('a', 'layer', 'text'), column('b', 'hidden', 'count', { brief: false })],
      rows: [
        ['first', 1],
        ['second', 2],
      ],
    });
    const blocks: Block[] = [
      { kind: 'verdict', level: 'good', word: 'safe', text: 'it may.' },
      { kind: 'text', text: 'long', brief: false },
      { kind: 'text', text: 'short', brief: true },
      { kind: 'list', items: ['item'], brief: true },
      table('shown', true),
      table('folded', false),
    ];
    assert.equal(
      terminalReport(documentOf(blocks)),
      'title\n\nSAFE: it may.\n\none  1\n\nSection\nshort\n\n- item\n\nlayer\nfirst\n… and 1 more\n',
    );
    assert.match(terminalReport(documentOf([...blocks, table('also', true)])), /\ncaption of shown\nlayer\n/);
    assert.match(terminalReport(documentOf([])), /^title\n\nwhat was found\n/);
  });

  it('draws bars and histograms', () => {
    const chart = (data: Extract<Block, { kind: 'chart' }>['data']): Block => ({
      kind: 'chart',
      name: 'c',
      caption: 'lengths',
      alt: '',
      brief: true,
      data,
    });
    const x = { label: 'x', unit: 'count' } as const;
    const bars = [
      { label: 'long', value: 4 },
      { label: 'half', value: 2 },
      { label: 'none', value: 0 },
    ];
    const lines = terminalReport(documentOf([chart({ type: 'bars', x, bars })])).split('\n');
    const lengthOf = (label: string) => lines.find((line) => line.startsWith(label))?.match(/█/g)?.length ?? 0;
    assert.ok(lines.includes('lengths'));
    assert.ok(Math.abs(lengthOf('long') - 2 * lengthOf('half')) <= 1);
    assert.equal(lengthOf('none'), 0);
    const bins = [
      { from: 0, to: 1, count: 1 },
      { from: 1, to: 2, count: 1000 },
    ];
    const text = terminalReport(documentOf([chart({ type: 'histogram', x, y: x, bins })]));
    assert.match(text, /^0 … 1 +1 +█$/m);
    assert.match(text, /^1 … 2 +1,000 +█+$/m);
    for (const line of text.split('\n')) assert.ok(line.length <= 80, line);
  });

  it('hostile names do not reach the terminal as control sequences', () => {
    const hostile = buildDocument(reportSchema.parse(namedFixture(HOSTILE)));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
    assert.ok(!/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/.test(terminalReport(hostile)));
  });
});
