// What `corruptions` found: accuracy under every corruption in full precision, and what each policy loses more.
import { basename } from 'node:path';
import { z } from 'zod';
import { type CorruptionLevel, formatLevel } from '../../data/corruptions.js';
import { type Column, column, type Document, type Table } from '../document.js';
import { type Cell, formatNumber, type Measured, plural } from '../format.js';
import { count, defineKind, share } from '../kind.js';
import { slug } from '../names.js';
import { corruptionSection } from '../sections/stress.js';

const interval = z.tuple([z.number(), z.number()]);
const estimate = z.looseObject({ value: z.number(), interval });

const conditionSchema = z.looseObject({
  corruption: z.string().optional(),
  family: z.string().optional(),
  level: z.union([z.number(), z.looseObject({ strength: z.number() })]).optional(),
  fpAccuracy: share,
  fpAccuracyInterval: interval,
  policies: z.array(
    z.looseObject({
      policy: z.string(),
      accuracy: share,
      accuracyInterval: interval,
      /** What quantization adds, on the same corrupted images. */
      drop: z.number(),
      dropInterval: interval,
    }),
  ),
});

const corruptionsSchema = z.looseObject({
  schema: z.literal('faultline.corruptions/1'),
  model: z.string(),
  images: count,
  seed: count,
  confidence: share,
  baseline: z.string(),
  clean: conditionSchema,
  conditions: z.array(conditionSchema),
  summary: z.array(
    z.looseObject({
      policy: z.string(),
      meanAccuracy: estimate,
      meanDrop: estimate,
      worstDrop: z.number(),
      mCE: estimate.optional(),
      relativeMCE: estimate.optional(),
      corruptions: z.array(z.string()),
    }),
  ),
});

type Corruptions = z.output<typeof corruptionsSchema>;
type Condition = z.output<typeof conditionSchema>;

const measured = (value: number, [low, high]: readonly [number, number]): Measured => ({
  value: 100 * value,
  interval: [100 * low, 100 * high],
});

const nameOf = ({ corruption, level }: Condition): string =>
  corruption !== undefined && level !== undefined ? `${corruption}:${formatLevel(level as CorruptionLevel)}` : 'clean';

function conditionTable({ clean, conditions }: Corruptions): Table {
  const columns: Column[] = [
    column('condition', 'condition', 'text'),
    column('fp', 'fp32', 'percent', { better: 'higher' }),
    ...clean.policies.map(({ policy }) => column(slug(policy), policy, 'points', { short: policy, better: 'lower' })),
  ];
  return {
    kind: 'table',
    name: 'conditions',
    caption: 'Accuracy in fp32, and the points that quantization takes on the same images',
    brief: true,
    columns,
    rows: [clean, ...conditions].map((condition): Cell[] => [
      nameOf(condition),
      100 * condition.fpAccuracy,
      ...condition.policies.map(({ drop, dropInterval }) => measured(drop, dropInterval)),
    ]),
  };
}

function summaryTable({ summary }: Corruptions): Table {
  return {
    kind: 'table',
    name: 'summary',
    caption: 'Means over conditions, and the worst of them',
    brief: true,
    columns: [
      column('policy', 'policy', 'text'),
      column('accuracy', 'accuracy', 'percent', { better: 'higher' }),
      column('drop', 'mean drop', 'points', { better: 'lower' }),
      column('worst', 'worst drop', 'points', { better: 'lower' }),
    ],
    rows: summary.map(({ policy, meanAccuracy, meanDrop, worstDrop }, at): Cell[] => [
      policy,
      100 * meanAccuracy.value,
      at === 0 ? undefined : measured(meanDrop.value, meanDrop.interval),
      at === 0 ? undefined : 100 * worstDrop,
    ]),
  };
}

function errorTable({ summary, baseline }: Corruptions): Table {
  const over = plural(summary[0]?.corruptions.length ?? 0, 'corruption');
  const cell = (value: Corruptions['summary'][number]['mCE']) => value && measured(value.value, value.interval);
  return {
    kind: 'table',
    name: 'corruption-error',
    caption: `Corruption error in percent of ${baseline}'s, over ${over}; a dash where ${baseline} makes none of these errors`,
    brief: true,
    columns: [
      column('policy', 'policy', 'text'),
      column('mce', 'mCE', 'percent', { better: 'lower' }),
      column('relative', 'relative mCE', 'percent', { better: 'lower' }),
    ],
    rows: summary.map(({ policy, mCE, relativeMCE }): Cell[] => [policy, cell(mCE), cell(relativeMCE)]),
  };
}

/** Input of the section of stress reports: strengths in place of severities. */
function cellsOf(conditions: readonly Condition[]) {
  return conditions.flatMap(({ corruption = '', family, level = 0, fpAccuracy, policies }) =>
    policies.map(({ policy, accuracy, drop, dropInterval: [low, high] }) => ({
      corruption,
      ...(family === undefined ? {} : { family }),
      severity: typeof level === 'number' ? level : level.strength,
      policy,
      fpAccuracy: 100 * fpAccuracy,
      quantizedAccuracy: 100 * accuracy,
      drop: 100 * drop,
      interval: [100 * low, 100 * high] as [number, number],
    })),
  );
}

function corruptionsDocument(result: Corruptions): Document {
  const { model, images, confidence, conditions, summary, seed } = result;
  const worst = summary.reduce((a, b) => (b.worstDrop > a.worstDrop ? b : a));
  const maps = corruptionSection({ corruptions: { grid: cellsOf(conditions) } });
  const legend =
    `Intervals of drops: ${formatNumber(100 * confidence, 'share')} %; where there is no room for them, * marks a drop whose ` +
    'interval is clear of 0.';
  return {
    title: `Corruptions of ${basename(model)}`,
    lead:
      `${plural(images, 'image')}, ${plural(conditions.length, 'condition')}: quantization takes at most ` +
      `${formatNumber(100 * worst.worstDrop, 'points')} points more (${worst.policy}).`,
    facts: [],
    sections: [
      {
        id: 'conditions',
        title: 'By condition',
        blocks: [conditionTable(result), { kind: 'text', text: legend, brief: true }],
      },
      { id: 'summary', title: 'Over all conditions', blocks: [summaryTable(result), errorTable(result)] },
      ...(maps ? [{ ...maps, blocks: maps.blocks.filter((block) => block.kind === 'chart') }] : []),
    ],
    footer: `faultline · seed ${seed}`,
  };
}

export const kind = defineKind({
  schema: 'faultline.corruptions/1',
  result: corruptionsSchema,
  document: corruptionsDocument,
});
