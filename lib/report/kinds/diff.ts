// What `diff` found: the figures that changed between two results, the worse ones first.
import { z } from 'zod';
import { type Block, column, type Document, type Section } from '../document.js';
import { type Cell, plural } from '../format.js';
import { count, defineKind } from '../kind.js';
import { groupBy } from '../names.js';

const changeSchema = z.looseObject({
  table: z.string(),
  row: z.string(),
  figure: z.string(),
  before: z.string(),
  after: z.string(),
  judgement: z.enum(['worse', 'better', 'changed']),
});

const diffSchema = z.looseObject({
  schema: z.literal('faultline.diff/1'),
  before: z.string(),
  after: z.string(),
  kind: z.string(),
  compared: count,
  changes: z.array(changeSchema),
  onlyBefore: z.array(z.string()),
  onlyAfter: z.array(z.string()),
});

type Diff = z.output<typeof diffSchema>;

const TITLES = { worse: 'Worse', better: 'Better', changed: 'Changed, neither better nor worse' } as const;

function changeSection(judgement: keyof typeof TITLES, changes: Diff['changes']): Section[] {
  const judged = changes.filter((change) => change.judgement === judgement);
  if (judged.length === 0) return [];
  const blocks = [...groupBy(judged, ({ table }) => table)].map(
    ([table, rows]): Block => ({
      kind: 'table',
      name: `${judgement}-${table}`,
      caption: table,
      // Other changes are in the other formats only: times differ from run to run.
      brief: judgement !== 'changed',
      columns: [
        column('table', 'table', 'text'),
        column('row', 'row', 'text'),
        column('figure', 'figure', 'text'),
        column('before', 'before', 'text'),
        column('after', 'after', 'text'),
      ],
      rows: rows.map((change): Cell[] => [change.table, change.row, change.figure, change.before, change.after]),
    }),
  );
  return [{ id: judgement, title: TITLES[judgement], blocks }];
}

function onlySection(id: string, title: string, items: readonly string[]): Section[] {
  return items.length === 0 ? [] : [{ id, title, blocks: [{ kind: 'list', items, brief: true }] }];
}

function diffDocument(diff: Diff): Document {
  const { before, after, kind: schema, compared, changes, onlyBefore, onlyAfter } = diff;
  const of = (judgement: keyof typeof TITLES) => changes.filter((change) => change.judgement === judgement).length;
  const lead =
    `Of ${plural(compared, 'figure')} ${of('worse')} got worse and ${of('better')} better, beyond their intervals; ` +
    `${of('changed')} others changed.`;
  return {
    title: `${before} and ${after}`,
    lead,
    facts: [],
    sections: [
      ...changeSection('worse', changes),
      ...changeSection('better', changes),
      ...changeSection('changed', changes),
      ...onlySection('only-before', `Only in ${before}`, onlyBefore),
      ...onlySection('only-after', `Only in ${after}`, onlyAfter),
    ],
    footer: schema,
  };
}

export const kind = defineKind({ schema: 'faultline.diff/1', result: diffSchema, document: diffDocument });
