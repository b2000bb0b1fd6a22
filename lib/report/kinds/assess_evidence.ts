// What an assessment rests on: searches, layers, remedies, variants of the arithmetic, samples and time.
import { OUTLIER_FACTOR } from '../../assess/profile/ranges.js';
import { extremeOf, type Objective } from '../../search/judge.js';
import { type Block, column, type Section } from '../document.js';
import { type Cell, formatNumber, type Measured, type Unit } from '../format.js';
import type { Assessment, LossFigures } from './assess_result.js';

/** The levels of a policy, the best first. */
export const LEVELS = ['safe', 'caution', 'unsafe'];

export const dropOf = ({ drop, interval }: LossFigures): Measured => ({ value: drop, interval });

export type AssessedPolicy = Assessment['policies'][number];

export const unitOf = ({ thresholds }: Assessment): Unit => (thresholds.dropType === 'relative' ? 'percent' : 'points');

export function policySearchSection({ search, measure }: Assessment): Section | undefined {
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
        caption:
          `Agents with the same evaluations, on ${search.samples} samples: ${search.policies} policies of ` +
          `${formatNumber(search.bits, 'bits')} bits from ${search.choices.join(', ')}`,
        brief: true,
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

/** Layers on the terminal: those that matter most. */
const MOST_LAYERS = 10;

export function layerSection(result: Assessment): Section | undefined {
  const { sensitivity, profile, subject = '' } = result;
  if (sensitivity.length === 0) return undefined;
  const errors = new Map(profile.map((layer) => [layer.node, layer]));
  const ordered = [...sensitivity].sort((a, b) => b.drop + b.restored - (a.drop + a.restored));
  return {
    id: 'layers',
    title: `Layers at ${subject}`,
    blocks: [
      {
        kind: 'chart',
        name: `restored-${subject}`,
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
        caption:
          'A layer alone quantized, all but it quantized, in points; its quantization error. Those that matter most first',
        brief: true,
        briefRows: MOST_LAYERS,
        columns: [
          column('node', 'layer', 'text'),
          column('drop', 'lost by it alone', 'points', { better: 'lower' }),
          column('restored', 'won back without it', 'points', { better: 'lower' }),
          column('aloneSqnrDb', 'SQNR alone', 'decibels', { better: 'higher' }),
          column('sqnrDb', 'SQNR here', 'decibels', { better: 'higher' }),
          column('propagated', 'propagated', 'percent', { brief: false }),
          column('spread', 'spread of ranges', 'number', { brief: false }),
          column('outliers', 'outlier channels', 'count', { brief: false }),
        ],
        rows: ordered.map(({ node, drop, restored }): Cell[] => {
          const error = errors.get(node);
          const propagated = error && 100 * error.propagatedShare;
          return [node, drop, restored, error?.aloneSqnrDb, error?.sqnrDb, propagated, error?.spread, error?.outliers];
        }),
      },
      {
        kind: 'text',
        text:
          'SQNR: signal over quantization error of what the layer gives, it alone quantized, and here, with all before it. ' +
          'Propagated: the share of the error here that earlier layers made. Spread: the largest over the smallest range of a sample. ' +
          `Outlier channels: inputs that reach ${OUTLIER_FACTOR} times their median channel.`,
      },
    ],
  };
}

export function remedySection(result: Assessment): Section | undefined {
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

export function comparisonSection(result: Assessment): Section | undefined {
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
        brief: true,
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
        brief: true,
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

export function costSection({ estimate, seconds, skipped, samples }: Assessment): Section {
  const names = [...new Set([...estimate.stages.map(({ stage }) => stage), ...Object.keys(seconds)])];
  const text =
    `${samples.all} samples: policies were searched and remedies chosen on ${samples.searched}, everything judged on ` +
    `${samples.judged}${samples.apart ? ' others' : ', the same: there are too few to split'}.`;
  return {
    id: 'cost',
    title: 'Samples and time',
    blocks: [
      { kind: 'text', text, brief: true },
      ...(skipped.length > 0
        ? [{ kind: 'list', items: skipped.map(({ stage, why }) => `${stage}: ${why}`), brief: true } as const]
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
