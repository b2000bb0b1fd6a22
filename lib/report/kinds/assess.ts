// What `assess` found: the verdict first, then what it rests on.
import { basename } from 'node:path';
import { termLabels } from '../../assess/indicators/predictor.js';
import { PREDICTOR } from '../../assess/indicators/shipped_predictor.js';
import { parseScheme } from '../../format/scheme.js';
import {
  type Block,
  bullets,
  chart,
  type Document,
  type Fact,
  paragraph,
  type Section,
  section,
  table,
} from '../document.js';
import { formatDuration, formatNumber, percentText } from '../format.js';
import { defineKind } from '../kind.js';
import { leftInFloatBlocks } from '../sections/left_in_float.js';
import {
  type AssessedPolicy,
  comparisonSection,
  costSection,
  dropOf,
  LEVELS,
  layerSection,
  policySearchSection,
  remedySection,
  unitOf,
} from './assess_evidence.js';
import { type Assessment, assessSchema, firstAssessSchema } from './assess_result.js';

const LEVEL = { safe: 'good', caution: 'caution', unsafe: 'bad' } as const;

function verdictSection({ verdict, answer, reasons, advice, thresholds }: Assessment): Section[] {
  const what = thresholds.dropType === 'relative' ? 'percent of the accuracy' : 'points';
  const rule =
    `Safe: every policy examined, the worst one found among them, loses at most ${formatNumber(thresholds.maxDrop)} ${what}, ` +
    `at ${Math.round(100 * thresholds.confidence)} % confidence. Unsafe: one loses more than ` +
    `${formatNumber(thresholds.catastrophe)}, or the mildest more than the limit, for certain. Caution: anything between, or undecided on these samples.`;
  return section('verdict', 'Verdict', [
    { kind: 'verdict', level: LEVEL[verdict], word: verdict, text: `${answer}.` },
    ...bullets(reasons, true),
    ...(advice.length > 0 ? [paragraph('What to do:', true), ...bullets(advice, true)] : []),
    paragraph(rule),
  ]);
}

const shareOf = ({ accuracy, agreement }: Pick<AssessedPolicy, 'accuracy' | 'agreement'>) => accuracy ?? agreement;

function policySection(result: Assessment): Section[] {
  const { policies, measure, fp, samples } = result;
  const from = { value: fp.accuracy ?? fp.agreement ?? 0 };
  const ranges = chart(
    {
      name: 'policies-chart',
      caption: `${measure} in full precision and quantized`,
      alt: `${measure} of ${policies.length} policies beside full precision`,
    },
    {
      ...{ type: 'ranges', x: { label: measure, unit: 'percent' }, names: ['full precision', 'quantized'] },
      rows: policies.map((each) => ({ label: each.name, from, to: { value: shareOf(each) } })),
    },
  );
  const caption = `Judged on ${samples.judged} samples${samples.apart ? ', none of them searched on' : ''}`;
  const judged = table({ name: 'policies', caption, brief: true }, policies, [
    ['name', 'policy', 'text', ({ name }) => name],
    ['effectiveBits', 'bits', 'bits', ({ effectiveBits }) => effectiveBits],
    [measure, measure, 'percent', shareOf, { better: 'higher' }],
    ['drop', 'drop', unitOf(result), dropOf, { better: 'lower' }],
    ['flips', 'flips', 'count', ({ flips }) => flips, { better: 'lower' }],
    ['newlyWrong', 'newly wrong', 'count', ({ newlyWrong }) => newlyWrong, { brief: false }],
    ['newlyRight', 'newly right', 'count', ({ newlyRight }) => newlyRight, { brief: false }],
    ['pValue', 'p', 'probability', ({ pValue }) => pValue, { brief: false }],
    ['margin', 'median margin', 'number', ({ margins }) => margins.quantized.median, { brief: false }],
    ['level', 'level', 'text', ({ level }) => level, { better: LEVELS }],
  ]);
  return section('policies', 'Policies', [
    paragraph(
      'All of the network as it is: the worst policy found is one of its policies, and no attack on its weights.',
    ),
    ranges,
    judged,
    paragraph(
      `Flips: samples that change their class. p: McNemar's test, that quantization changes nothing. Margin: largest logit ` +
        `less the second largest; its median in full precision is ${formatNumber(policies[0]?.margins.fp.median ?? 0)}.`,
    ),
    ...leftInFloatBlocks(result.leftInFloat),
    ...predictionTable(result),
    ...classTable(result),
    ...bitsMap(result),
  ]);
}

/** What full precision alone predicted, beside what was measured. */
function predictionTable({ predicted }: Assessment): Block[] {
  if (predicted.length === 0) return [];
  const { confidence, provenance, threshold } = PREDICTOR;
  const { networks, teachers } = provenance;
  const caption =
    `What full precision alone predicts, by ${termLabels(PREDICTOR)}: fitted on ${networks} small networks of ` +
    `${teachers.length} teachers, ${Math.round(100 * confidence)} % intervals; the verdict rests on what was measured`;
  const short = `> ${threshold} points`;
  return [
    table({ name: 'predicted', caption, brief: true }, predicted, [
      ['policy', 'policy', 'text', ({ policy }) => policy],
      ['probability', `loses more than ${threshold} points`, 'percent', (one) => 100 * one.probability, { short }],
      ['drop', 'expected drop', 'points', dropOf],
      ['measured', 'measured', 'points', ({ measured }) => measured],
    ]),
  ];
}

function classTable({ policies }: Assessment): Block[] {
  const worst = policies.flatMap(({ name, worstClass }) => (worstClass ? [{ name, ...worstClass }] : []));
  if (worst.length === 0) return [];
  return [
    table({ name: 'worst-classes', caption: 'The class that loses most' }, worst, [
      ['name', 'policy', 'text', ({ name }) => name],
      ['label', 'class', 'count', ({ label }) => label],
      ['samples', 'samples', 'count', ({ samples }) => samples],
      ['fpAccuracy', 'full precision', 'percent', ({ fpAccuracy }) => fpAccuracy],
      ['accuracy', 'quantized', 'percent', ({ accuracy }) => accuracy],
    ]),
  ];
}

/** Bits of the policies found, layer by layer. */
function bitsMap({ policies, search }: Assessment): Block[] {
  const found = policies.filter((each) => each.found);
  if (!search || found.length === 0) return [];
  const rows = Object.keys(found[0]?.policy.nodes ?? {});
  const columns = found.flatMap(({ name }) => [`${name}: W`, `${name}: A`]);
  const values = rows.map((node) =>
    found.flatMap(({ policy }) => {
      const scheme = policy.nodes[node];
      if (scheme === undefined) return [null, null];
      const { weights, activations } = parseScheme(scheme);
      return [weights.format.bits, activations.format.bits];
    }),
  );
  const caption = `Bits of the policies found among ${search.policies} of ${formatNumber(search.bits, 'bits')} bits`;
  const about = { name: 'found-bits', caption, alt: `Weight and activation bits of ${rows.length} layers` };
  const looks = { type: 'cells', columnsLabel: 'policy', rowsLabel: 'layer', unit: 'bits', shades: 'bits' } as const;
  return [chart(about, { ...looks, columns, rows, values })];
}

function factsOf(result: Assessment): Fact[] {
  const { fp, measure, policies, samples, seconds } = result;
  const facts: Fact[] = [];
  if (fp.accuracy !== undefined) {
    facts.push({
      label: 'full precision',
      value: formatNumber(fp.accuracy, 'percent'),
      unit: '%',
      note: `accuracy on ${samples.judged} samples`,
    });
  }
  const unit = unitOf(result);
  for (const each of policies.filter(({ found }) => found !== 'best')) {
    facts.push({
      label: each.name,
      value: (each.drop < 0 ? '+' : '') + formatNumber(each.drop === 0 ? 0 : -each.drop, unit),
      unit: unit === 'points' ? 'points' : '%',
      note: `${measure} ${percentText(shareOf(each))}`,
      brief: false,
      tone: each.level === 'safe' ? 'good' : each.level === 'unsafe' ? 'bad' : 'plain',
    });
  }
  const total = Object.values(seconds).reduce((sum, value) => sum + value, 0);
  facts.push({ label: 'time', value: formatDuration(total), note: '' });
  return facts;
}

const SECTIONS = [
  ...[verdictSection, policySection, remedySection, layerSection],
  ...[policySearchSection, comparisonSection, costSection],
];

function assessDocument(result: Assessment): Document {
  return {
    title: `May ${basename(result.model)} be quantized?`,
    lead: `${result.verdict[0]?.toUpperCase()}${result.verdict.slice(1)}: ${result.answer}.`,
    facts: factsOf(result),
    sections: SECTIONS.flatMap((each) => each(result)),
    footer: 'faultline assess',
  };
}

export const kind = defineKind({
  schema: 'faultline.assess/2',
  result: assessSchema,
  earlier: { 'faultline.assess/1': firstAssessSchema },
  document: assessDocument,
});
