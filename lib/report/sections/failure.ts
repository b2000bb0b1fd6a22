// Where a pair fails: its policy, the inputs and classes that change, the layers responsible, and the controls that show
// what the agent contributes.
import { type Block, bullets, chart, paragraph, type Section, section, table } from '../document.js';
import { formatNumber, plural } from '../format.js';
import { namedPairs } from '../names.js';
import type { PairResult, Report } from '../schema.js';
import { FROM_TO } from './accuracy.js';

type Layers = NonNullable<PairResult['layers']>;

/** A section whose blocks are those of each pair in turn; none when no pair has any. */
function pairSection(
  report: Report,
  [id, title, text]: readonly [id: string, title: string, text: string],
  blocksOf: (name: string, pair: PairResult) => Block[],
): Section[] {
  const blocks = namedPairs(report).flatMap(({ name, pair }) => blocksOf(name, pair));
  return blocks.length === 0 ? [] : section(id, title, [paragraph(text), ...blocks]);
}

const POLICY = [
  'policy',
  'Policies, layer by layer',
  'Bits of weights and activations. A policy that depends on the input shows the mean of its choices.',
] as const;

export function policySection(report: Report): Section[] {
  return pairSection(report, POLICY, (name, { layers = [], effectiveBits }) => {
    if (layers.length === 0) return [];
    const caption = `${name}: ${formatNumber(effectiveBits, 'bits')} bits on average`;
    const alt = `Bits of each of the ${layers.length} layers of the pair ${name}`;
    const bits = chart(
      { name: `policy-${name}`, caption, alt },
      {
        ...{ type: 'cells', unit: 'bits', shades: 'bits', columnsLabel: 'layer', rowsLabel: 'bits of' },
        columns: layers.map(({ node }) => node),
        rows: ['weights', 'activations'],
        values: [layers.map(({ weightBits }) => weightBits), layers.map(({ activationBits }) => activationBits)],
      },
    );
    return [bits, ...chosenBlock(name, layers)];
  });
}

/** How often an input-conditioned policy chose which bits. */
function chosenBlock(name: string, layers: Layers): Block[] {
  const all = new Set(layers.flatMap(({ chosen = {} }) => Object.keys(chosen)));
  const bits = [...all].sort((a, b) => Number(a) - Number(b));
  if (bits.length === 0) return [];
  const caption = `${name}: how often each layer’s activations got how many bits`;
  const alt = `Share of the inputs by activation bits, for each layer of the pair ${name}`;
  const rows = layers.map(({ node, chosen = {} }) => ({
    label: node,
    values: bits.map((count) => 100 * (chosen[count] ?? 0)),
  }));
  const x = { label: 'inputs', unit: 'percent', domain: [0, 100] } as const;
  const parts = bits.map((count) => `${count} bits`);
  return [chart({ name: `chosen-${name}`, caption, alt }, { type: 'stacked', x, parts, rows })];
}

const FLIPS = [
  'flips',
  'Inputs whose class changed',
  'The class in full precision, then the class in integers, of the same network on the same picture.',
] as const;

export function flipSection(report: Report): Section[] {
  return pairSection(report, FLIPS, (name, { flips }) => {
    if (!flips) return [];
    const { count, of, newlyWrong, newlyRight, examples } = flips;
    const number = (value: number) => formatNumber(value, 'count');
    const share = formatNumber((100 * count) / Math.max(1, of), 'percent');
    const parts = [`${name}: ${number(count)} of ${plural(of, 'image')} changed (${share} %)`];
    if (newlyWrong !== undefined) parts.push(`${number(newlyWrong)} of them from right to wrong`);
    if (newlyRight !== undefined) parts.push(`${number(newlyRight)} from wrong to right`);
    const blocks: Block[] = [paragraph(`${parts.join(', ')}.`)];
    const pictures = examples.flatMap(({ index, label, before, after, picture: source }) => {
      const alt = `image ${index}${label === undefined ? '' : `, a ${label}`}: ${before} became ${after}`;
      return source === undefined ? [] : [{ source, alt, caption: `${before} → ${after}` }];
    });
    if (pictures.length > 0) {
      blocks.push({ kind: 'pictures', caption: `${name}: ${plural(pictures.length, 'example')}`, pictures });
    }
    if (examples.length > 0) {
      const about = { name: `flips-${name}`, caption: `${name}: the examples by number`, folded: true };
      blocks.push(
        table(about, examples, [
          ['index', 'image', 'count', ({ index }) => index],
          ['label', 'label', 'text', ({ label }) => label],
          ['before', 'float32', 'text', ({ before }) => before],
          ['after', 'integer', 'text', ({ after }) => after],
        ]),
      );
    }
    return blocks;
  });
}

const CLASSES = ['classes', 'Class by class', 'Accuracy of each class, the one that loses most first.'] as const;

export function classSection(report: Report): Section[] {
  return pairSection(report, CLASSES, (name, { classes = [] }) => {
    const lost = classes.map((each) => ({ ...each, lost: each.fpAccuracy - each.quantizedAccuracy }));
    const [worst] = lost.sort((a, b) => b.lost - a.lost);
    if (!worst) return [];
    const caption = `${name}: ${worst.name} loses most, ${formatNumber(worst.lost, 'points')} points`;
    const alt = `Accuracy of each class in float32 and quantized, for the pair ${name}`;
    const rows = lost.map(({ name: label, fpAccuracy, quantizedAccuracy }) => ({
      ...{ label, from: { value: fpAccuracy }, to: { value: quantizedAccuracy } },
    }));
    const x = { label: 'accuracy', unit: 'percent', domain: [0, 100] } as const;
    return [chart({ name: `classes-${name}`, caption, alt }, { type: 'ranges', x, names: FROM_TO, rows })];
  });
}

const RESPONSIBLE = [
  'responsible',
  'Which layers are responsible',
  'One layer at a time is restored, all others stay quantized: the points of accuracy that come back.',
] as const;

export function responsibleSection(report: Report): Section[] {
  return pairSection(report, RESPONSIBLE, (name, { responsible = [] }) => {
    if (responsible.length === 0) return [];
    const alt = `Points won back by restoring each of the ${responsible.length} layers of the pair ${name}`;
    return [restoredChart({ name: `responsible-${name}`, caption: `${name}: points won back`, alt }, responsible)];
  });
}

/** Points that come back when a layer is restored, the largest marked. */
export function restoredChart(
  about: Parameters<typeof chart>[0],
  layers: readonly { readonly node: string; readonly restored: number }[],
) {
  const most = layers.reduce((a, b) => (b.restored > a.restored ? b : a));
  const bars = layers.map((layer) => ({
    ...{ label: layer.node, value: layer.restored, emphasis: layer === most && most.restored > 0 },
  }));
  return chart(about, { type: 'bars', x: { label: 'won back', unit: 'points' }, bars });
}

export function controlSection(report: Report): Section[] {
  const rows = namedPairs(report).flatMap(({ name, pair }) => {
    const { controls = [], agent, quantizedAccuracy: accuracy, drop } = pair;
    if (controls.length === 0) return [];
    return [{ control: `the agent (${agent})`, accuracy, drop, note: '' }, ...controls].map((one) => ({
      name,
      ...one,
    }));
  });
  if (rows.length === 0) return [];
  const caption = 'What is left when the agent’s choices no longer fit the input';
  return section('controls', 'Controls', [
    ...bullets([
      'open loop: the agent’s commonest choice for each layer, whatever the input',
      'shuffled bits: the agent’s choices, each made for another input',
      'worst static: the worst policy that does not depend on the input, chosen on validation images',
      'fresh attacker: an agent trained anew against the finished network',
      'oracle, where measured: for each input its worst policy, which no agent can know',
    ]),
    table({ name: 'controls', caption, brief: true }, rows, [
      ['pair', 'pair', 'text', ({ name }) => name],
      ['control', 'policy', 'text', ({ control }) => control],
      ['accuracy', 'accuracy', 'percent', ({ accuracy }) => accuracy],
      ['drop', 'drop', 'points', ({ drop }) => drop],
      ['note', 'note', 'text', ({ note }) => note ?? ''],
    ]),
  ]);
}
