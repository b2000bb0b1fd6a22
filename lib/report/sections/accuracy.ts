// Accuracy in full precision and quantized: every network, means over seeds, uniform policies.

import { groupBy } from '../../core/group_by.js';
import { mean, standardDeviation } from '../../statistics/summary.js';
import { type Block, chart, type Field, paragraph, type Section, section, type Table, table } from '../document.js';
import type { Measured } from '../format.js';
import { gaugeNames, namedPairs } from '../names.js';
import type { PairResult, Report } from '../schema.js';

/** What full precision and quantization are called in charts. */
export const FROM_TO = ['float32', 'integer'] as const;

interface Network {
  readonly label: string;
  readonly from: Measured;
  readonly to: Measured;
}

const quantized = ({
  quantizedAccuracy,
  quantizedInterval,
}: Pick<PairResult, 'quantizedAccuracy' | 'quantizedInterval'>) =>
  ({ value: quantizedAccuracy, interval: quantizedInterval }) satisfies Measured;
const drop = (of: Pick<PairResult, 'drop' | 'dropInterval'>): Measured => ({
  value: of.drop,
  interval: of.dropInterval,
});
const fullPrecision = ({ fpAccuracy, fpInterval }: PairResult): Measured => ({
  value: fpAccuracy,
  interval: fpInterval,
});

function networksOf(report: Report): Network[] {
  const { teacher, gauge } = report;
  const names = gaugeNames(report);
  return [
    ...(teacher?.uniform ?? []).map(({ name, accuracy }) => ({
      label: `teacher, ${name}`,
      from: { value: teacher?.accuracy as number, interval: teacher?.interval },
      to: { value: accuracy },
    })),
    ...namedPairs(report).map(({ name, pair }) => ({ label: name, from: fullPrecision(pair), to: quantized(pair) })),
    ...gauge.map((one, at) => ({
      ...{ label: names[at] as string, from: { value: one.fpAccuracy } },
      to: quantized(one),
    })),
  ];
}

function pairTable(report: Report): Table {
  return table({ name: 'pairs', caption: 'Network–policy pairs on the test images', brief: true }, namedPairs(report), [
    ['pair', 'pair', 'text', ({ name }) => name],
    ['agent', 'agent', 'text', ({ pair }) => pair.agent],
    ['seed', 'seed', 'count', ({ pair }) => pair.seed],
    ['effectiveBits', 'bits', 'bits', ({ pair }) => pair.effectiveBits],
    ['fpAccuracy', 'fp32', 'percent', ({ pair }) => fullPrecision(pair)],
    ['fpGap', 'gap', 'points', ({ pair }) => pair.fpGap],
    ['quantizedAccuracy', 'integer', 'percent', ({ pair }) => quantized(pair)],
    ['drop', 'drop', 'points', ({ pair }) => drop(pair)],
    ['pValue', 'p', 'probability', ({ pair }) => pair.pValue],
  ]);
}

/** Mean over seeds and its deviation, where there are several seeds. */
function seedTable(report: Report): Table[] {
  const groups = groupBy(report.pairs, ({ arch = '', objective, policy, choices = [] }) =>
    [arch, objective, policy, choices.length > 0 ? `{${choices}}` : ''].filter(Boolean).join(', '),
  );
  if (![...groups.values()].some((pairs) => pairs.length > 1)) return [];
  const of = (pairs: readonly PairResult[], key: 'fpGap' | 'quantizedAccuracy' | 'drop') =>
    pairs.map((one) => one[key]);
  const about = { name: 'pairs-mean', caption: 'Mean over seeds; the deviation is that between seeds', brief: true };
  return [
    table(
      about,
      [...groups],
      [
        ['pair', 'pair', 'text', ([name]) => name],
        ['seeds', 'seeds', 'count', ([, pairs]) => pairs.length],
        ['fpGap', 'gap', 'points', ([, pairs]) => mean(of(pairs, 'fpGap'))],
        ['quantizedAccuracy', 'integer', 'percent', ([, pairs]) => mean(of(pairs, 'quantizedAccuracy'))],
        ['drop', 'drop', 'points', ([, pairs]) => mean(of(pairs, 'drop'))],
        ['dropDeviation', '±', 'points', ([, pairs]) => standardDeviation(of(pairs, 'drop'))],
      ],
    ),
  ];
}

function gaugeTable({ gauge }: Report): Table[] {
  if (gauge.length === 0) return [];
  const caption = 'Gauge attack: channels rescaled, the function unchanged';
  return [
    table({ name: 'gauge', caption, brief: true }, gauge, [
      ['bits', 'policy', 'text', ({ bits }) => bits],
      ['seed', 'seed', 'count', ({ seed }) => seed],
      ['fpAccuracy', 'fp32', 'percent', ({ fpAccuracy }) => fpAccuracy],
      ['fpBitExact', 'fp32 logits unchanged', 'text', ({ fpBitExact }) => (fpBitExact ? 'bit for bit' : 'no')],
      ['quantizedAccuracy', 'integer', 'percent', quantized],
      ['drop', 'drop', 'points', drop],
    ]),
  ];
}

export function accuracySection(report: Report): Section[] {
  const networks = networksOf(report);
  if (networks.length === 0) return [];
  const alt = `Accuracy of ${networks.length} networks in float32 and quantized, a line joining the two`;
  const blocks: Block[] = [
    paragraph(
      'Full precision is float32; every quantized figure is measured in integer arithmetic, never simulated. ' +
        'Brackets hold 95 % intervals: Wilson for accuracies, paired (Newcombe) for drops; p is McNemar’s exact test.',
    ),
    chart(
      { name: 'accuracy', caption: 'From full precision to integers', alt },
      { type: 'ranges', x: { label: 'accuracy', unit: 'percent', domain: [0, 100] }, names: FROM_TO, rows: networks },
    ),
  ];
  if (report.pairs.length > 0) blocks.push(pairTable(report), ...seedTable(report));
  return section('accuracy', 'Accuracy', [...blocks, ...gaugeTable(report)]);
}

/** The same networks under uniform policies. */
export function uniformSection(report: Report): Section[] {
  const networks = [
    { name: 'teacher', fp: report.teacher?.accuracy, uniform: report.teacher?.uniform ?? [] },
    ...namedPairs(report).map(({ name, pair }) => ({ name, fp: pair.fpAccuracy, uniform: pair.uniform ?? [] })),
  ].filter(({ uniform }) => uniform.length > 0);
  const policies = [...new Set(networks.flatMap(({ uniform }) => uniform.map(({ name }) => name)))];
  if (policies.length === 0) return [];
  return section('uniform', 'Uniform policies', [
    paragraph(
      'The same bits in every layer. A failure learned under one policy need not show under another, ' +
        'and fewer bits are not always worse.',
    ),
    table({ name: 'uniform', caption: 'Accuracy under uniform policies' }, networks, [
      ['network', 'network', 'text', ({ name }) => name],
      ['float32', 'float32', 'percent', ({ fp }) => fp],
      ...policies.map((policy): Field<(typeof networks)[number]> => {
        return [policy, policy, 'percent', ({ uniform }) => uniform.find(({ name }) => name === policy)?.accuracy];
      }),
    ]),
  ]);
}
