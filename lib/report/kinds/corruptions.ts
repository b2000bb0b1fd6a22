// What `corruptions` found: accuracy under every corruption in full precision, and what each policy loses more.
import { basename } from 'node:path';
import { z } from 'zod';
import { type CorruptionLevel, formatLevel } from '../../data/corruptions.js';
import { type Document, type Field, paragraph, section, type Table, table } from '../document.js';
import { formatNumber, percentOf, plural } from '../format.js';
import { count, defineKind, estimate, interval, share } from '../kind.js';
import { slug } from '../names.js';
import { corruptionSection } from '../sections/stress.js';

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

const nameOf = ({ corruption, level }: Condition): string =>
  corruption !== undefined && level !== undefined ? `${corruption}:${formatLevel(level as CorruptionLevel)}` : 'clean';

const LOWER = { better: 'lower' } as const;

function conditionTable({ clean, conditions }: Corruptions): Table {
  const caption = 'Accuracy in fp32, and the points that quantization takes on the same images';
  return table(
    { name: 'conditions', caption, brief: true },
    [clean, ...conditions],
    [
      ['condition', 'condition', 'text', nameOf],
      ['fp', 'fp32', 'percent', ({ fpAccuracy }) => 100 * fpAccuracy, { better: 'higher' }],
      ...clean.policies.map(({ policy }, at): Field<Condition> => {
        const drop = ({ policies }: Condition) =>
          policies[at] && percentOf(policies[at].drop, policies[at].dropInterval);
        return [slug(policy), policy, 'points', drop, { short: policy, ...LOWER }];
      }),
    ],
  );
}

function summaryTable({ summary }: Corruptions): Table {
  // The first is full precision.
  const lost = <Value>(at: number, value: Value) => (at === 0 ? undefined : value);
  const about = { name: 'summary', caption: 'Means over conditions, and the worst of them', brief: true };
  return table(about, summary, [
    ['policy', 'policy', 'text', ({ policy }) => policy],
    ['accuracy', 'accuracy', 'percent', ({ meanAccuracy }) => 100 * meanAccuracy.value, { better: 'higher' }],
    ['drop', 'mean drop', 'points', (one, at) => lost(at, percentOf(one.meanDrop.value, one.meanDrop.interval)), LOWER],
    ['worst', 'worst drop', 'points', ({ worstDrop }, at) => lost(at, 100 * worstDrop), LOWER],
  ]);
}

function errorTable({ summary, baseline }: Corruptions): Table {
  const over = plural(summary[0]?.corruptions.length ?? 0, 'corruption');
  const caption = `Corruption error in percent of ${baseline}'s, over ${over}; a dash where ${baseline} makes none of these errors`;
  const cell = (error: Corruptions['summary'][number]['mCE']) => error && percentOf(error.value, error.interval);
  return table({ name: 'corruption-error', caption, brief: true }, summary, [
    ['policy', 'policy', 'text', ({ policy }) => policy],
    ['mce', 'mCE', 'percent', ({ mCE }) => cell(mCE), LOWER],
    ['relative', 'relative mCE', 'percent', ({ relativeMCE }) => cell(relativeMCE), LOWER],
  ]);
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
  const [maps] = corruptionSection({ corruptions: { grid: cellsOf(conditions) } });
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
      ...section('conditions', 'By condition', [conditionTable(result), paragraph(legend, true)]),
      ...section('summary', 'Over all conditions', [summaryTable(result), errorTable(result)]),
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
