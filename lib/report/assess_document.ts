// `faultline assess` as a Document: the verdict first, then what it rests on.

import { basename } from 'node:path';
import { termLabels } from '../assess/indicators/predictor.js';
import { PREDICTOR } from '../assess/indicators/shipped_predictor.js';
import type { Figures, PolicyFigures } from '../assess/measure/figures.js';
import { OUTLIER_FACTOR } from '../assess/profile/ranges.js';
import type { AssessResult } from '../assess/verdict/result.js';
import { parseScheme } from '../format/scheme.js';
import { extremeOf, type Objective } from '../search/judge.js';
import type { Block, Document, Fact, Section } from './document.js';
import { type Cell, formatDuration, formatNumber, formatQuantity, type Measured, type Unit } from './format.js';
import { slug } from './names.js';

const LEVEL = { safe: 'good', caution: 'caution', unsafe: 'bad' } as const;

const column = (key: string, label: string, unit: Unit) => ({ key, label, unit });

const dropOf = ({ drop, interval }: Figures): Measured => ({ value: drop, interval });

const unitOf = ({ thresholds }: AssessResult): Unit => (thresholds.dropType === 'relative' ? 'percent' : 'points');

function verdictSection({ verdict, answer, reasons, advice, thresholds }: AssessResult): Section {
  const what = thresholds.dropType === 'relative' ? 'percent of the accuracy' : 'points';
  const rule =
    `Safe: every policy examined, the worst one found among them, loses at most ${formatNumber(thresholds.maxDrop)} ${what}, ` +
    `at ${Math.round(100 * thresholds.confidence)} % confidence. Unsafe: one loses more than ` +
    `${formatNumber(thresholds.catastrophe)}, or the mildest more than the limit, for certain. Caution: anything between, or the samples do not tell.`;
  const blocks: Block[] = [
    { kind: 'verdict', level: LEVEL[verdict], word: verdict, text: `${answer}.` },
    { kind: 'list', items: reasons },
    ...(advice.length > 0
      ? [{ kind: 'text', text: 'What to do:' } as const, { kind: 'list', items: advice } as const]
      : []),
    { kind: 'text', text: rule },
  ];
  return { id: 'verdict', title: 'Verdict', blocks };
}

function policySection(result: AssessResult): Section {
  const { policies, measure, fp } = result;
  const full = fp.accuracy ?? fp.agreement ?? 0;
  const share = ({ accuracy, agreement }: PolicyFigures) => accuracy ?? agreement;
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
          column(measure, measure, 'percent'),
          column('drop', 'drop', unitOf(result)),
          column('flips', 'flips', 'count'),
          column('newlyWrong', 'newly wrong', 'count'),
          column('newlyRight', 'newly right', 'count'),
          column('pValue', 'p', 'probability'),
          column('margin', 'median margin', 'number'),
          column('level', 'level', 'text'),
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
function predictionTable({ predicted }: AssessResult): Block[] {
  if (predicted.length === 0) return [];
  const { confidence, provenance, threshold } = PREDICTOR;
  const { networks, teachers } = provenance;
  const caption =
    `What full precision alone predicts, by ${termLabels(PREDICTOR)}: fitted on ${networks} small networks of ` +
    `${teachers.length} teachers, ${Math.round(100 * confidence)} % intervals; the verdict rests on what was measured`;
  const columns = [
    column('policy', 'policy', 'text'),
    column('probability', `loses more than ${threshold} points`, 'percent'),
    column('drop', 'expected drop', 'points'),
    column('measured', 'measured', 'points'),
  ];
  const rows = predicted.map(({ policy, probability, drop, interval, measured }): Cell[] => [
    policy,
    100 * probability,
    { value: drop, interval },
    measured,
  ]);
  return [{ kind: 'table', name: 'predicted', caption, columns, rows }];
}

function classTable({ policies }: AssessResult): Block[] {
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
function bitsMap({ policies, search }: AssessResult): Block[] {
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

function searchSection({ search, measure }: AssessResult): Section | undefined {
  if (!search) return undefined;
  const chart = (objective: Objective): Block => ({
    kind: 'chart',
    name: `search-${extremeOf(objective)}`,
    caption: `The ${extremeOf(objective)} so far, by evaluations, on the ${search.samples} samples searched on`,
    alt: `${extremeOf(objective)} found by each agent`,
    data: {
      type: 'lines',
      steps: true,
      x: { label: 'evaluations', unit: 'count' },
      y: { label: measure, unit: 'percent' },
      series: search.agents
        .filter((agent) => agent.objective === objective)
        .map(({ agent, history }) => ({ name: agent, points: history })),
    },
  });
  return {
    id: 'search',
    title: 'Search',
    blocks: [
      chart('detrimental'),
      chart('robust'),
      {
        kind: 'table',
        name: 'search',
        caption: `Agents with the same evaluations; choices ${search.choices.join(', ')}`,
        columns: [
          column('agent', 'agent', 'text'),
          column('objective', 'objective', 'text'),
          column('evaluations', 'evaluations', 'count'),
          column('value', measure, 'percent'),
        ],
        rows: search.agents.map(({ agent, objective, evaluations, value }): Cell[] => [
          agent,
          objective,
          evaluations,
          value,
        ]),
      },
    ],
  };
}

function layerSection(result: AssessResult): Section | undefined {
  const { sensitivity, profile, subject = '' } = result;
  if (sensitivity.length === 0) return undefined;
  const errors = new Map(profile.map((layer) => [layer.node, layer]));
  return {
    id: 'layers',
    title: `Layers at ${subject}`,
    blocks: [
      {
        kind: 'chart',
        name: `restored-${slug(subject)}`,
        caption: 'Points won back when one layer alone stays in full precision',
        alt: `Points won back by each of ${sensitivity.length} layers`,
        data: {
          type: 'bars',
          x: { label: 'won back', unit: 'points' },
          bars: sensitivity.map(({ node, restored }) => ({ label: node, value: restored })),
        },
      },
      {
        kind: 'table',
        name: 'layers',
        caption: 'A layer alone quantized, all but it quantized; its quantization error',
        columns: [
          column('node', 'layer', 'text'),
          column('drop', 'lost by it alone', 'points'),
          column('restored', 'won back without it', 'points'),
          column('aloneSqnrDb', 'SQNR alone', 'decibels'),
          column('sqnrDb', 'SQNR here', 'decibels'),
          column('propagated', 'came in', 'percent'),
          column('spread', 'spread of ranges', 'number'),
          column('outliers', 'outlier channels', 'count'),
        ],
        rows: sensitivity.map(({ node, drop, restored }): Cell[] => {
          const error = errors.get(node);
          const received = error && 100 * error.propagatedShare;
          return [node, drop, restored, error?.aloneSqnrDb, error?.sqnrDb, received, error?.spread, error?.outliers];
        }),
      },
      {
        kind: 'text',
        text:
          'SQNR: signal over quantization error of what the layer gives, it alone quantized, and here, with all before it. Came ' +
          'in: the share of the error here that earlier layers made. Spread: the largest over the smallest range of a sample. ' +
          `Outlier channels: inputs that reach ${OUTLIER_FACTOR} times their median channel.`,
      },
    ],
  };
}

function remedySection(result: AssessResult): Section | undefined {
  const { remedies, subject, policies } = result;
  const before = policies.find(({ name }) => name === subject);
  if (remedies.length === 0 || !before) return undefined;
  const rows = [{ ...before, what: `${subject} as it is` }, ...remedies].map((each): Cell[] => [
    each.what,
    each.accuracy ?? each.agreement,
    dropOf(each),
    each.level,
  ]);
  const columns = [
    column('what', 'what', 'text'),
    column('value', result.measure, 'percent'),
    column('drop', 'drop', unitOf(result)),
    column('level', 'level', 'text'),
  ];
  const caption = `Measures against the failure at ${subject}, chosen on the samples searched on`;
  return {
    id: 'remedies',
    title: 'What helps',
    blocks: [{ kind: 'table', name: 'remedies', caption, brief: true, columns, rows }],
  };
}

function comparisonSection(result: AssessResult): Section | undefined {
  const { granularity, processors } = result;
  if (granularity.length + processors.length === 0) return undefined;
  const words = { perChannel: 'a channel', perTensor: 'a tensor', perSample: 'a sample', perBatch: 'a batch' } as const;
  return {
    id: 'elsewhere',
    title: 'Elsewhere',
    blocks: [
      {
        kind: 'table',
        name: 'granularity',
        caption: 'What shares a scale',
        columns: [
          column('policy', 'policy', 'text'),
          column('weights', 'a weight scale for', 'text'),
          column('activations', 'an activation range for', 'text'),
          column('drop', 'drop', unitOf(result)),
        ],
        rows: granularity.map((each): Cell[] => [
          each.policy,
          words[each.weights],
          words[each.activations],
          dropOf(each),
        ]),
      },
      {
        kind: 'table',
        name: 'processors',
        caption: 'Arithmetic of other processors',
        columns: [
          column('name', 'processors', 'text'),
          column('policy', 'policy', 'text'),
          column('drop', 'drop', unitOf(result)),
        ],
        rows: processors.map((each): Cell[] => [each.name, each.policy, dropOf(each)]),
      },
    ],
  };
}

function costSection({ estimate, seconds, skipped, samples }: AssessResult): Section {
  const names = [...new Set([...estimate.stages.map(({ stage }) => stage), ...Object.keys(seconds)])];
  const text =
    `${samples.all} samples: policies were searched and remedies chosen on ${samples.searched}, everything judged on ` +
    `${samples.judged}${samples.apart ? ' others' : ', the same: there are too few to split'}.`;
  return {
    id: 'cost',
    title: 'Samples and time',
    blocks: [
      { kind: 'text', text },
      ...(skipped.length > 0
        ? [{ kind: 'list', items: skipped.map(({ stage, why }) => `${stage}: ${why}`) } as const]
        : []),
      {
        kind: 'table',
        name: 'time',
        caption: 'Estimated before the start, and spent',
        columns: [
          column('stage', 'stage', 'text'),
          column('estimate', 'estimate', 'seconds'),
          column('spent', 'spent', 'seconds'),
        ],
        rows: names.map((name): Cell[] => [
          name,
          estimate.stages.find(({ stage }) => stage === name)?.seconds,
          seconds[name],
        ]),
      },
    ],
  };
}

function factsOf(result: AssessResult): Fact[] {
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
      tone: each.level === 'safe' ? 'good' : each.level === 'unsafe' ? 'bad' : 'plain',
    });
  }
  const total = Object.values(seconds).reduce((sum, value) => sum + value, 0);
  facts.push({ label: 'time', value: formatDuration(total), note: '' });
  return facts;
}

/** Everything there is to show of an assessment. */
export function assessDocument(result: AssessResult): Document {
  const sections = [
    verdictSection(result),
    policySection(result),
    remedySection(result),
    layerSection(result),
    searchSection(result),
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
