// What `diff` found: the figures that changed between two results, the worse ones first.
import { z } from 'zod';
import { groupBy } from '../../core/group_by.js';
import { bullets, type Document, type Section, section, table } from '../document.js';
import { plural } from '../format.js';
import { count, defineKind } from '../kind.js';

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
  // Other changes are in the other formats only: times differ from run to run.
  const brief = judgement !== 'changed';
  const blocks = [...groupBy(judged, ({ table: name }) => name)].map(([caption, rows]) =>
    table({ name: `${judgement}-${caption}`, caption, brief }, rows, [
      ['table', 'table', 'text', (change) => change.table],
      ['row', 'row', 'text', ({ row }) => row],
      ['figure', 'figure', 'text', ({ figure }) => figure],
      ['before', 'before', 'text', ({ before }) => before],
      ['after', 'after', 'text', ({ after }) => after],
    ]),
  );
  return section(judgement, TITLES[judgement], blocks);
}

function diffDocument(diff: Diff): Document {
  const { before, after, kind: schema, compared, changes, onlyBefore, onlyAfter } = diff;
  const of = (judgement: keyof typeof TITLES) => changes.filter((change) => change.judgement === judgement).length;
  const lead =
    `Of ${plural(compared, 'figure')} ${of('worse')} got worse and ${of('better')} better, beyond their intervals; ` +
    `${plural(of('changed'), 'other')} changed.`;
  return {
    title: `${before} and ${after}`,
    lead,
    facts: [],
    sections: [
      ...changeSection('worse', changes),
      ...changeSection('better', changes),
      ...changeSection('changed', changes),
      ...section('only-before', `Only in ${before}`, bullets(onlyBefore, true)),
      ...section('only-after', `Only in ${after}`, bullets(onlyAfter, true)),
    ],
    footer: schema,
  };
}

export const kind = defineKind({ schema: 'faultline.diff/1', result: diffSchema, document: diffDocument });
