// What `assess` found: the verdict first, then what it rests on.
import { basename } from 'node:path';
import { termLabels } from '../../assess/indicators/predictor.js';
import { PREDICTOR } from '../../assess/indicators/shipped_predictor.js';
import { parseScheme } from '../../format/scheme.js';
import { type Block, column, type Document, type Fact, type Section } from '../document.js';
import { type Cell, formatDuration, formatNumber, formatQuantity } from '../format.js';
import { defineKind } from '../kind.js';
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

function verdictSection({ verdict, answer, reasons, advice, thresholds }: Assessment): Section {
  const what = thresholds.dropType === 'relative' ? 'percent of the accuracy' : 'points';
  const rule =
    `Safe: every policy examined, the worst one found among them, loses at most ${formatNumber(thresholds.maxDrop)} ${what}, ` +
    `at ${Math.round(100 * thresholds.confidence)} % confidence. Unsafe: one loses more than ` +
    `${formatNumber(thresholds.catastrophe)}, or the mildest more than the limit, for certain. Caution: anything between, or undecided on these samples.`;
  const blocks: Block[] = [
    { kind: 'verdict', level: LEVEL[verdict], word: verdict, text: `${answer}.` },
    { kind: 'list', items: reasons, brief: true },
    ...(advice.length > 0
      ? [
          { kind: 'text', text: 'What to do:', brief: true } as const,
          { kind: 'list', items: advice, brief: true } as const,
        ]
      : []),
    { kind: 'text', text: rule },
  ];
  return { id: 'verdict', title: 'Verdict', blocks };
}

function policySection(result: Assessment): Section {
  const { policies, measure, fp } = result;
  const full = fp.accuracy ?? fp.agreement ?? 0;
  const share = ({ accuracy, agreement }: AssessedPolicy) => accuracy ?? agreement;
  return {
    id: 'policies',
    title: 'Policies',
    blocks: [
      {
        kind: 'text',
        text: 'All of the network as it is: the worst policy found is one of its policies, and no attack on its weights.',
      },
      {
        kind: 'chart',
        name: 'policies-chart',
        caption: `${measure} in full precision and quantized`,
        alt: `${measure} of ${policies.length} policies beside full precision`,
        data: {
          type: 'ranges',
          x: { label: measure, unit: 'percent' },
          names: ['full precision', 'quantized'],
          rows: policies.map((each) => ({ label: each.name, from: { value: full }, to: { value: share(each) } })),
        },
      },
      {
        kind: 'table',
        name: 'policies',
        caption: `Judged on ${result.samples.judged} samples${result.samples.apart ? ', none of them searched on' : ''}`,
        brief: true,
        columns: [
          column('name', 'policy', 'text'),
          column('effectiveBits', 'bits', 'bits'),
          column(measure, measure, 'percent', { better: 'higher' }),
          column('drop', 'drop', unitOf(result), { better: 'lower' }),
          column('flips', 'flips', 'count', { better: 'lower' }),
          column('newlyWrong', 'newly wrong', 'count', { brief: false }),
          column('newlyRight', 'newly right', 'count', { brief: false }),
          column('pValue', 'p', 'probability', { brief: false }),
          column('margin', 'median margin', 'number', { brief: false }),
          column('level', 'level', 'text', { better: LEVELS }),
        ],
        rows: policies.map((each): Cell[] => [
          each.name,
          each.effectiveBits,
          share(each),
          dropOf(each),
          each.flips,
          each.newlyWrong,
          each.newlyRight,
          each.pValue,
          each.margins.quantized.median,
          each.level,
        ]),
      },
      {
        kind: 'text',
        text:
          `Flips: samples that change their class. p: McNemar's test, that quantization changes nothing. Margin: largest logit ` +
          `less the second largest; its median in full precision is ${formatNumber(policies[0]?.margins.fp.median ?? 0)}.`,
      },
      ...predictionTable(result),
      ...classTable(result),
      ...bitsMap(result),
    ],
  };
}

/** What full precision alone predicted, beside what was measured. */
function predictionTable({ predicted }: Assessment): Block[] {
  if (predicted.length === 0) return [];
  const { confidence, provenance, threshold } = PREDICTOR;
  const { networks, teachers } = provenance;
  const caption =
    `What full precision alone predicts, by ${termLabels(PREDICTOR)}: fitted on ${networks} small networks of ` +
    `${teachers.length} teachers, ${Math.round(100 * confidence)} % intervals; the verdict rests on what was measured`;
  const columns = [
    column('policy', 'policy', 'text'),
    column('probability', `loses more than ${threshold} points`, 'percent', { short: `> ${threshold} points` }),
    column('drop', 'expected drop', 'points'),
    column('measured', 'measured', 'points'),
  ];
  const rows = predicted.map(({ policy, probability, drop, interval, measured }): Cell[] => [
    policy,
    100 * probability,
    { value: drop, interval },
    measured,
  ]);
  return [{ kind: 'table', name: 'predicted', caption, brief: true, columns, rows }];
}

function classTable({ policies }: Assessment): Block[] {
  const rows = policies.flatMap(({ name, worstClass }): Cell[][] =>
    worstClass ? [[name, worstClass.label, worstClass.samples, worstClass.fpAccuracy, worstClass.accuracy]] : [],
  );
  if (rows.length === 0) return [];
  const columns = [
    column('name', 'policy', 'text'),
    column('label', 'class', 'count'),
    column('samples', 'samples', 'count'),
    column('fpAccuracy', 'full precision', 'percent'),
    column('accuracy', 'quantized', 'percent'),
  ];
  return [{ kind: 'table', name: 'worst-classes', caption: 'The class that loses most', columns, rows }];
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
  return [
    {
      kind: 'chart',
      name: 'found-bits',
      caption,
      alt: `Weight and activation bits of ${rows.length} layers`,
      data: {
        type: 'cells',
        columnsLabel: 'policy',
        rowsLabel: 'layer',
        columns,
        rows,
        values,
        unit: 'bits',
        shades: 'bits',
      },
    },
  ];
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
      note: `${measure} ${formatQuantity(each.accuracy ?? each.agreement, 'percent')}`,
      brief: false,
      tone: each.level === 'safe' ? 'good' : each.level === 'unsafe' ? 'bad' : 'plain',
    });
  }
  const total = Object.values(seconds).reduce((sum, value) => sum + value, 0);
  facts.push({ label: 'time', value: formatDuration(total), note: '' });
  return facts;
}

/** Everything there is to show of an assessment. */
function assessDocument(result: Assessment): Document {
  const sections = [
    verdictSection(result),
    policySection(result),
    remedySection(result),
    layerSection(result),
    policySearchSection(result),
    comparisonSection(result),
    costSection(result),
  ];
  return {
    title: `May ${basename(result.model)} be quantized?`,
    lead: `${result.verdict[0]?.toUpperCase()}${result.verdict.slice(1)}: ${result.answer}.`,
    facts: factsOf(result),
    sections: sections.filter((section) => section !== undefined),
    footer: 'faultline assess',
  };
}

export const kind = defineKind({
  schema: 'faultline.assess/2',
  result: assessSchema,
  earlier: { 'faultline.assess/1': firstAssessSchema },
  document: assessDocument,
});
