// Documents: columns with what is not as usual, and all tables in order, those of charts among them.
import assert from 'node:assert/strict';
import { type Block, column, type Document, type Table, tableOf, tablesOf } from '../../../lib/report/document.js';

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
});
