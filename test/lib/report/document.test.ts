// Documents: columns with what is not as usual, and all tables in order, those of charts among them.
import assert from 'node:assert/strict';
import {
  type Block,
  bullets,
  column,
  type Document,
  type Field,
  filled,
  section,
  type Table,
  table as tableFrom,
  tableOf,
  tablesOf,
} from '../../../lib/report/document.js';

const table: Table = { kind: 'table', name: 't', caption: '', columns: [column('a', 'A', 'count')], rows: [[1]] };
const chart = {
  kind: 'chart',
  name: 'c',
  caption: 'bars',
  alt: '',
  data: { type: 'bars', x: { label: 'x', unit: 'points' }, bars: [{ label: 'a', value: 2 }] },
} as const;

describe('documents', () => {
  it('tables are in the order of the page; texts, lists and pictures have none', () => {
    const first: Block[] = [{ kind: 'text', text: '' }, chart, { kind: 'list', items: [] }];
    const second: Block[] = [{ kind: 'pictures', caption: '', pictures: [] }, table];
    const document: Document = {
      ...{ title: '', lead: '', facts: [], footer: '' },
      sections: [first, second].map((blocks, i) => ({ id: `s${i}`, title: '', blocks })),
    };
    assert.deepEqual(tablesOf(document), [tableOf(chart), table]);
    assert.deepEqual(tablesOf({ ...document, sections: [] }), []);
  });

  it('the table of a chart has its name and caption', () => {
    const { name, caption, rows } = tableOf(chart);
    assert.deepEqual([name, caption, rows.length], ['c', 'bars', 1]);
  });

  it('a column has what is said of it', () => {
    const better = 'higher' as const;
    assert.deepEqual(column('k', 'label', 'percent', { better }), {
      key: 'k',
      label: 'label',
      unit: 'percent',
      better,
    });
  });

  it('a table takes its cells from rows, and drops the columns that no row fills', () => {
    const rows = [{ name: 'a', loss: 1 }, { name: 'b' }] as { name: string; loss?: number; gain?: number }[];
    const fields: Field<(typeof rows)[number]>[] = [
      ['name', 'network', 'text', ({ name }, at) => `${at} ${name}`],
      ['loss', 'loss', 'points', ({ loss }) => loss, { better: 'lower' }],
      ['gain', 'gain', 'points', ({ gain }) => gain],
    ];
    const made = tableFrom({ name: 't', caption: 'c', brief: true }, rows, filled(rows, fields));
    assert.deepEqual(made, {
      ...{ kind: 'table', name: 't', caption: 'c', brief: true },
      columns: [column('name', 'network', 'text'), column('loss', 'loss', 'points', { better: 'lower' })],
      rows: [
        ['0 a', 1],
        ['1 b', undefined],
      ],
    });
  });

  it('lists and sections of nothing are none', () => {
    assert.deepEqual([bullets([]), section('a', 'A', [])], [[], []]);
    assert.deepEqual(section('a', 'A', bullets(['x'])), [
      { id: 'a', title: 'A', blocks: [{ kind: 'list', items: ['x'], brief: false }] },
    ]);
  });
});
