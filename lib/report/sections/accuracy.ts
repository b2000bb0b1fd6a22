// Accuracy in full precision and quantized: every network, means over seeds, uniform policies.
import { mean, standardDeviation } from '../../statistics/summary.js';
import type { Block, Section, Table } from '../document.js';
import type { Cell, Measured } from '../format.js';
import { groupBy, namedPairs } from '../names.js';
import type { Report } from '../schema.js';

interface Network {
  readonly name: string;
  readonly from: Measured;
  readonly to: Measured;
}

function networksOf(report: Report): Network[] {
  const ordinary = (report.teacher?.uniform ?? []).map(
    ({ name, accuracy }): Network => ({
      name: `teacher, ${name}`,
      from: { value: report.teacher?.accuracy as number, interval: report.teacher?.interval },
      to: { value: accuracy },
    }),
  );
  const pairs = namedPairs(report).map(
    ({ name, pair }): Network => ({
      name,
      from: { value: pair.fpAccuracy, interval: pair.fpInterval },
      to: { value: pair.quantizedAccuracy, interval: pair.quantizedInterval },
    }),
  );
  const several = new Set(report.gauge.map(({ seed }) => seed)).size > 1;
  const gauge = report.gauge.map(
    (result): Network => ({
      name: `gauge, ${result.bits}${several ? `, seed ${result.seed}` : ''}`,
      from: { value: result.fpAccuracy },
      to: { value: result.quantizedAccuracy, interval: result.quantizedInterval },
    }),
  );
  return [...ordinary, ...pairs, ...gauge];
}

function pairTable(report: Report): Table {
  const rows = namedPairs(report).map(({ name, pair }): Cell[] => [
    name,
    pair.agent,
    pair.seed,
    pair.effectiveBits,
    { value: pair.fpAccuracy, interval: pair.fpInterval },
    pair.fpGap,
    { value: pair.quantizedAccuracy, interval: pair.quantizedInterval },
    { value: pair.drop, interval: pair.dropInterval },
    pair.pValue,
  ]);
  return {
    kind: 'table',
    name: 'pairs',
    caption: 'Network–policy pairs on the test images',
    brief: true,
    columns: [
      { key: 'pair', label: 'pair', unit: 'text' },
      { key: 'agent', label: 'agent', unit: 'text' },
      { key: 'seed', label: 'seed', unit: 'count' },
      { key: 'effectiveBits', label: 'bits', unit: 'bits' },
      { key: 'fpAccuracy', label: 'fp32', unit: 'percent' },
      { key: 'fpGap', label: 'gap', unit: 'points' },
      { key: 'quantizedAccuracy', label: 'integer', unit: 'percent' },
      { key: 'drop', label: 'drop', unit: 'points' },
      { key: 'pValue', label: 'p', unit: 'probability' },
    ],
    rows,
  };
}

/** Mean over seeds and its deviation, where there are several seeds. */
function seedTable(report: Report): Table[] {
  const groups = groupBy(report.pairs, ({ arch = '', objective, policy, choices = [] }) =>
    [arch, objective, policy, choices.length > 0 ? `{${choices}}` : ''].filter(Boolean).join(', '),
  );
  if (![...groups.values()].some((pairs) => pairs.length > 1)) return [];
  const rows = [...groups].map(([name, pairs]): Cell[] => {
    const of = (key: 'fpGap' | 'quantizedAccuracy' | 'drop') => pairs.map((pair) => pair[key]);
    const drops = of('drop');
    return [
      name,
      pairs.length,
      mean(of('fpGap')),
      mean(of('quantizedAccuracy')),
      mean(drops),
      standardDeviation(drops),
    ];
  });
  return [
    {
      kind: 'table',
      name: 'pairs-mean',
      caption: 'Mean over seeds; the deviation is that between seeds',
      brief: true,
      columns: [
        { key: 'pair', label: 'pair', unit: 'text' },
        { key: 'seeds', label: 'seeds', unit: 'count' },
        { key: 'fpGap', label: 'gap', unit: 'points' },
        { key: 'quantizedAccuracy', label: 'integer', unit: 'percent' },
        { key: 'drop', label: 'drop', unit: 'points' },
        { key: 'dropDeviation', label: '±', unit: 'points' },
      ],
      rows,
    },
  ];
}

function gaugeTable(report: Report): Table[] {
  if (report.gauge.length === 0) return [];
  return [
    {
      kind: 'table',
      name: 'gauge',
      caption: 'Gauge attack: channels rescaled, the function unchanged',
      brief: true,
      columns: [
        { key: 'bits', label: 'policy', unit: 'text' },
        { key: 'seed', label: 'seed', unit: 'count' },
        { key: 'fpAccuracy', label: 'fp32', unit: 'percent' },
        { key: 'fpBitExact', label: 'fp32 logits unchanged', unit: 'text' },
        { key: 'quantizedAccuracy', label: 'integer', unit: 'percent' },
        { key: 'drop', label: 'drop', unit: 'points' },
      ],
      rows: report.gauge.map((result) => [
        result.bits,
        result.seed,
        result.fpAccuracy,
        result.fpBitExact ? 'bit for bit' : 'no',
        { value: result.quantizedAccuracy, interval: result.quantizedInterval },
        { value: result.drop, interval: result.dropInterval },
      ]),
    },
  ];
}

export function accuracySection(report: Report): Section | undefined {
  const networks = networksOf(report);
  if (networks.length === 0) return undefined;
  const blocks: Block[] = [
    {
      kind: 'text',
      text:
        'Full precision is float32; every quantized figure is measured in integer arithmetic, never simulated. ' +
        'Brackets hold 95 % intervals: Wilson for accuracies, paired (Newcombe) for drops; p is McNemar’s exact test.',
    },
    {
      kind: 'chart',
      name: 'accuracy',
      caption: 'From full precision to integers',
      alt: `Accuracy of ${networks.length} networks in float32 and quantized, a line joining the two`,
      data: {
        type: 'ranges',
        x: { label: 'accuracy', unit: 'percent', domain: [0, 100] },
        names: ['float32', 'integer'],
        rows: networks.map(({ name, from, to }) => ({ label: name, from, to })),
      },
    },
  ];
  if (report.pairs.length > 0) blocks.push(pairTable(report), ...seedTable(report));
  return { id: 'accuracy', title: 'Accuracy', blocks: [...blocks, ...gaugeTable(report)] };
}

/** The same networks under uniform policies. */
export function uniformSection(report: Report): Section | undefined {
  const networks = [
    { name: 'teacher', fp: report.teacher?.accuracy, uniform: report.teacher?.uniform ?? [] },
    ...namedPairs(report).map(({ name, pair }) => ({ name, fp: pair.fpAccuracy, uniform: pair.uniform ?? [] })),
  ].filter(({ uniform }) => uniform.length > 0);
  const policies = [...new Set(networks.flatMap(({ uniform }) => uniform.map(({ name }) => name)))];
  if (policies.length === 0) return undefined;
  const accuracy = (network: (typeof networks)[number], policy: string) =>
    network.uniform.find(({ name }) => name === policy)?.accuracy;
  return {
    id: 'uniform',
    title: 'Uniform policies',
    blocks: [
      {
        kind: 'text',
        text:
          'The same bits in every layer. A failure learned under one policy need not show under another, ' +
          'and fewer bits are not always worse.',
      },
      {
        kind: 'table',
        name: 'uniform',
        caption: 'Accuracy under uniform policies',
        columns: [
          { key: 'network', label: 'network', unit: 'text' },
          { key: 'float32', label: 'float32', unit: 'percent' },
          ...policies.map((policy) => ({ key: policy, label: policy, unit: 'percent' as const })),
        ],
        rows: networks.map((network): Cell[] => [
          network.name,
          network.fp,
          ...policies.map((policy) => accuracy(network, policy)),
        ]),
      },
    ],
  };
}
