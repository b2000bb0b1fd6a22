// Where a pair fails: its policy, the inputs and classes that change, the layers responsible, and the controls that show
// what the agent contributes.
import type { Block, Section } from '../document.js';
import { formatNumber, plural } from '../format.js';
import { namedPairs } from '../names.js';
import type { PairResult, Report } from '../schema.js';

type Named = ReturnType<typeof namedPairs>[number];

/** A section whose blocks are those of each pair in turn; none when no pair has any. */
function pairSection(
  report: Report,
  head: Pick<Section, 'id' | 'title'> & { readonly text: string },
  blocksOf: (named: Named) => Block[],
): Section | undefined {
  const blocks = namedPairs(report).flatMap(blocksOf);
  if (blocks.length === 0) return undefined;
  return { id: head.id, title: head.title, blocks: [{ kind: 'text', text: head.text }, ...blocks] };
}

export function policySection(report: Report): Section | undefined {
  return pairSection(
    report,
    {
      id: 'policy',
      title: 'Policies, layer by layer',
      text: 'Bits of weights and activations. A policy that depends on the input shows the mean of its choices.',
    },
    ({ name, pair }) => {
      const { layers = [] } = pair;
      if (layers.length === 0) return [];
      return [
        {
          kind: 'chart',
          name: `policy-${name}`,
          caption: `${name}: ${formatNumber(pair.effectiveBits, 'bits')} bits on average`,
          alt: `Bits of each of the ${layers.length} layers of the pair ${name}`,
          data: {
            type: 'cells',
            columnsLabel: 'layer',
            rowsLabel: 'bits of',
            columns: layers.map(({ node }) => node),
            rows: ['weights', 'activations'],
            values: [layers.map(({ weightBits }) => weightBits), layers.map(({ activationBits }) => activationBits)],
            unit: 'bits',
            shades: 'bits',
          },
        },
        ...chosenBlock(name, layers),
      ];
    },
  );
}

/** How often an input-conditioned policy chose which bits. */
function chosenBlock(name: string, layers: NonNullable<PairResult['layers']>): Block[] {
  const bits = [...new Set(layers.flatMap(({ chosen = {} }) => Object.keys(chosen)))].sort(
    (a, b) => Number(a) - Number(b),
  );
  if (bits.length === 0) return [];
  return [
    {
      kind: 'chart',
      name: `chosen-${name}`,
      caption: `${name}: how often each layer’s activations got how many bits`,
      alt: `Share of the inputs by activation bits, for each layer of the pair ${name}`,
      data: {
        type: 'stacked',
        x: { label: 'inputs', unit: 'percent', domain: [0, 100] },
        parts: bits.map((count) => `${count} bits`),
        rows: layers.map(({ node, chosen = {} }) => ({
          label: node,
          values: bits.map((count) => 100 * (chosen[count] ?? 0)),
        })),
      },
    },
  ];
}

export function flipSection(report: Report): Section | undefined {
  return pairSection(
    report,
    {
      id: 'flips',
      title: 'Inputs whose class changed',
      text: 'The class in full precision, then the class in integers, of the same network on the same picture.',
    },
    ({ name, pair }) => {
      const { flips } = pair;
      if (!flips) return [];
      const share = formatNumber((100 * flips.count) / Math.max(1, flips.of), 'percent');
      const parts = [
        `${name}: ${formatNumber(flips.count, 'count')} of ${plural(flips.of, 'image')} changed (${share} %)`,
      ];
      if (flips.newlyWrong !== undefined)
        parts.push(`${formatNumber(flips.newlyWrong, 'count')} of them from right to wrong`);
      if (flips.newlyRight !== undefined) parts.push(`${formatNumber(flips.newlyRight, 'count')} from wrong to right`);
      const pictured = flips.examples.filter(({ picture }) => picture !== undefined);
      const listed = flips.examples;
      return [
        { kind: 'text', text: `${parts.join(', ')}.` },
        ...(pictured.length === 0
          ? []
          : [
              {
                kind: 'pictures' as const,
                caption: `${name}: ${plural(pictured.length, 'example')}`,
                pictures: pictured.map(({ index, label, before, after, picture }) => ({
                  source: picture as string,
                  alt: `image ${index}${label === undefined ? '' : `, a ${label}`}: ${before} became ${after}`,
                  caption: `${before} → ${after}`,
                })),
              },
            ]),
        ...(listed.length === 0
          ? []
          : [
              {
                kind: 'table' as const,
                name: `flips-${name}`,
                caption: `${name}: the examples by number`,
                folded: true,
                columns: [
                  { key: 'index', label: 'image', unit: 'count' as const },
                  { key: 'label', label: 'label', unit: 'text' as const },
                  { key: 'before', label: 'float32', unit: 'text' as const },
                  { key: 'after', label: 'integer', unit: 'text' as const },
                ],
                rows: listed.map(({ index, label, before, after }) => [index, label, before, after]),
              },
            ]),
      ];
    },
  );
}

export function classSection(report: Report): Section | undefined {
  return pairSection(
    report,
    { id: 'classes', title: 'Class by class', text: 'Accuracy of each class, the one that loses most first.' },
    ({ name, pair }) => {
      const { classes = [] } = pair;
      if (classes.length === 0) return [];
      const lost = (one: (typeof classes)[number]) => one.fpAccuracy - one.quantizedAccuracy;
      const sorted = [...classes].sort((a, b) => lost(b) - lost(a));
      const worst = sorted[0] as (typeof classes)[number];
      return [
        {
          kind: 'chart',
          name: `classes-${name}`,
          caption: `${name}: ${worst.name} loses most, ${formatNumber(lost(worst), 'points')} points`,
          alt: `Accuracy of each class in float32 and quantized, for the pair ${name}`,
          data: {
            type: 'ranges',
            x: { label: 'accuracy', unit: 'percent', domain: [0, 100] },
            names: ['float32', 'integer'],
            rows: sorted.map((one) => ({
              label: one.name,
              from: { value: one.fpAccuracy },
              to: { value: one.quantizedAccuracy },
            })),
          },
        },
      ];
    },
  );
}

export function responsibleSection(report: Report): Section | undefined {
  return pairSection(
    report,
    {
      id: 'responsible',
      title: 'Which layers are responsible',
      text: 'One layer at a time is restored, all others stay quantized: the points of accuracy that come back.',
    },
    ({ name, pair }) => {
      const { responsible = [] } = pair;
      if (responsible.length === 0) return [];
      const most = Math.max(...responsible.map(({ restored }) => restored));
      return [
        {
          kind: 'chart',
          name: `responsible-${name}`,
          caption: `${name}: points won back`,
          alt: `Points won back by restoring each of the ${responsible.length} layers of the pair ${name}`,
          data: {
            type: 'bars',
            x: { label: 'won back', unit: 'points' },
            bars: responsible.map(({ node, restored }) => ({
              label: node,
              value: restored,
              emphasis: restored === most,
            })),
          },
        },
      ];
    },
  );
}

export function controlSection(report: Report): Section | undefined {
  const rows = namedPairs(report).flatMap(({ name, pair }) => {
    const { controls = [] } = pair;
    if (controls.length === 0) return [];
    const agent = [name, `the agent (${pair.agent})`, pair.quantizedAccuracy, pair.drop, ''];
    return [agent, ...controls.map((one) => [name, one.control, one.accuracy, one.drop, one.note ?? ''])];
  });
  if (rows.length === 0) return undefined;
  return {
    id: 'controls',
    title: 'Controls',
    blocks: [
      {
        kind: 'list',
        items: [
          'open loop: the agent’s commonest choice for each layer, whatever the input',
          'shuffled bits: the agent’s choices, each made for another input',
          'worst static: the worst policy that does not depend on the input, chosen on validation images',
          'fresh attacker: an agent trained anew against the finished network',
          'oracle, where measured: for each input its worst policy, which no agent can know',
        ],
      },
      {
        kind: 'table',
        name: 'controls',
        caption: 'What is left when the agent’s choices no longer fit the input',
        brief: true,
        columns: [
          { key: 'pair', label: 'pair', unit: 'text' },
          { key: 'control', label: 'policy', unit: 'text' },
          { key: 'accuracy', label: 'accuracy', unit: 'percent' },
          { key: 'drop', label: 'drop', unit: 'points' },
          { key: 'note', label: 'note', unit: 'text' },
        ],
        rows,
      },
    ],
  };
}
