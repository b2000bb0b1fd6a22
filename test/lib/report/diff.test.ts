// Two results side by side: what counts as a change, what as worse, and what only one of them has.
import assert from 'node:assert/strict';
import { InvalidArgumentError } from '../../../lib/core/errors.js';
import { diffResults } from '../../../lib/report/diff.js';
import { type Block, column, type Document } from '../../../lib/report/document.js';
import type { Cell } from '../../../lib/report/format.js';
import { kind } from '../../../lib/report/kinds/diff.js';
import { checkDocument, documentOf } from '../../support/documents.js';

function named(path: string, rows: readonly (readonly Cell[])[], level: 'good' | 'bad' = 'good', schema = 'x/1') {
  const blocks: Block[] = [
    { kind: 'verdict', level, word: level, text: '' },
    {
      kind: 'table',
      name: 'policies',
      caption: '',
      columns: [
        column('name', 'policy', 'text'),
        column('bits', 'bits', 'text'),
        column('drop', 'drop', 'points', { better: 'lower' }),
        column('accuracy', 'accuracy', 'percent', { better: 'higher' }),
        column('level', 'level', 'text', { better: ['safe', 'caution', 'unsafe'] }),
        column('seconds', 'time', 'seconds'),
      ],
      rows,
    },
  ];
  const document: Document = {
    title: path,
    lead: '',
    facts: [],
    sections: [{ id: 'a', title: 'Verdict', blocks }],
    footer: '',
  };
  return { path, schema, result: { schema }, document };
}

const drop = (value: number, low: number, high: number) => ({ value, interval: [low, high] as const });

describe('diff', () => {
  it('says what got worse and better, beyond intervals', async () => {
    const before = named('a', [
      ['W8A8', 'W8A8', drop(1, 0.5, 1.5), 90, 'safe', 3],
      ['W4A4', 'W4A4', drop(9, 8, 10), 80, 'unsafe', 4],
      ['gone', 'W2A2', 1, 1, 'safe', 1],
    ]);
    const after = named(
      'b',
      [
        ['W8A8', 'W8A7', drop(1.4, 1.2, 1.8), 90.001, 'caution', 5],
        ['W4A4', 'W4A4', drop(5, 4, 6), 79, 'unsafe', 4],
        ['new', 'W2A2', 1, 1, 'safe', 1],
      ],
      'bad',
    );
    const found = diffResults(before, after);
    assert.deepEqual(
      found.changes.map(({ row, figure, before: from, after: to, judgement }) => [row, figure, from, to, judgement]),
      [
        ['Verdict', 'level', 'good', 'bad', 'worse'],
        ['W8A8', 'bits', 'W8A8', 'W8A7', 'changed'],
        ['W8A8', 'level', 'safe', 'caution', 'worse'],
        ['W8A8', 'time', '3.0', '5.0', 'changed'],
        ['W4A4', 'drop', '9.00 [8.00, 10.00]', '5.00 [4.00, 6.00]', 'better'],
        ['W4A4', 'accuracy', '80.00', '79.00', 'worse'],
      ],
    );
    assert.deepEqual([found.onlyBefore, found.onlyAfter], [['policies: gone'], ['policies: new']]);
    assert.equal(found.compared, 11);
    checkDocument(await documentOf(kind, found), ['3 got worse', 'W4A4', 'policies: gone']);
  });

  it('finds nothing between a result and itself', () => {
    const same = named('a', [['W8A8', 'W8A8', drop(1, 0.5, 1.5), 90, 'safe', 3]]);
    assert.deepEqual(diffResults(same, same).changes, []);
  });

  it('distinguishes rows by as many texts as necessary, then by their order', () => {
    const rows: Cell[][] = [
      ['W8A8', 'first', 1, 1, 'safe', 1],
      ['W8A8', 'second', 2, 1, 'safe', 1],
      ['W8A8', 'second', 3, 1, 'safe', 1],
    ];
    const changed = rows.map((row, at) => (at === 2 ? [...row.slice(0, 2), 4, ...row.slice(3)] : row));
    const { changes } = diffResults(named('a', rows), named('b', changed));
    assert.deepEqual(
      changes.map(({ row }) => row),
      ['W8A8, second (2)'],
    );
  });

  it('refuses results of two commands', () => {
    assert.throws(() => diffResults(named('a', []), named('b', [], 'good', 'y/1')), InvalidArgumentError);
  });
});
