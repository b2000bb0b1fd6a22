// What an assessment rests on: searches, layers, remedies, variants of the arithmetic, samples and time.
import { OUTLIER_FACTOR } from '../../assess/profile/ranges.js';
import { extremeOf, type Objective } from '../../search/judge.js';
import { type Block, bullets, chart, paragraph, type Section, section, table } from '../document.js';
import { formatNumber, type Measured, type Unit } from '../format.js';
import { restoredChart } from '../sections/failure.js';
import type { Assessment, LossFigures } from './assess_result.js';

/** The levels of a policy, the best first. */
export const LEVELS = ['safe', 'caution', 'unsafe'];

export const dropOf = ({ drop, interval }: LossFigures): Measured => ({ value: drop, interval });

export type AssessedPolicy = Assessment['policies'][number];

export const unitOf = ({ thresholds }: Assessment): Unit => (thresholds.dropType === 'relative' ? 'percent' : 'points');

export function policySearchSection({ search, measure }: Assessment): Section[] {
  if (!search) return [];
  const { agents, samples, policies, bits, choices } = search;
  const history = (objective: Objective): Block => {
    const extreme = extremeOf(objective);
    const caption = `The ${extreme} so far, by evaluations, on the ${samples} samples searched on`;
    const found = agents.filter((agent) => agent.objective === objective);
    return chart(
      { name: `search-${extreme}`, caption, alt: `${extreme} found by each agent` },
      {
        ...{ type: 'lines', steps: true },
        ...{ x: { label: 'evaluations', unit: 'count' }, y: { label: measure, unit: 'percent' } },
        series: found.map(({ agent, history: points }) => ({ name: agent, points })),
      },
    );
  };
  const caption =
    `Agents with the same evaluations, on ${samples} samples: ${policies} policies of ` +
    `${formatNumber(bits, 'bits')} bits from ${choices.join(', ')}`;
  return section('search', 'Search', [
    history('detrimental'),
    history('robust'),
    table({ name: 'search', caption, brief: true }, agents, [
      ['agent', 'agent', 'text', ({ agent }) => agent],
      ['objective', 'objective', 'text', ({ objective }) => objective],
      ['evaluations', 'evaluations', 'count', ({ evaluations }) => evaluations],
      ['value', measure, 'percent', ({ value }) => value],
    ]),
  ]);
}

/** Layers on the terminal: those that matter most. */
const MOST_LAYERS = 10;

export function layerSection({ sensitivity, profile, subject = '' }: Assessment): Section[] {
  if (sensitivity.length === 0) return [];
  const errors = new Map(profile.map((layer) => [layer.node, layer]));
  const layers = [...sensitivity]
    .sort((a, b) => b.drop + b.restored - (a.drop + a.restored))
    .map((layer) => ({ ...layer, error: errors.get(layer.node) }));
  const about = {
    name: `restored-${subject}`,
    caption: 'Points won back when one layer alone stays in full precision',
    alt: `Points won back by each of ${sensitivity.length} layers`,
  };
  const caption =
    'A layer alone quantized, all but it quantized, in points; its quantization error. Those that matter most first';
  return section('layers', `Layers at ${subject}`, [
    restoredChart(about, sensitivity),
    table({ name: 'layers', caption, brief: true, briefRows: MOST_LAYERS }, layers, [
      ['node', 'layer', 'text', ({ node }) => node],
      ['drop', 'lost by it alone', 'points', ({ drop }) => drop, { better: 'lower' }],
      ['restored', 'won back without it', 'points', ({ restored }) => restored, { better: 'lower' }],
      ['aloneSqnrDb', 'SQNR alone', 'decibels', ({ error }) => error?.aloneSqnrDb, { better: 'higher' }],
      ['sqnrDb', 'SQNR here', 'decibels', ({ error }) => error?.sqnrDb, { better: 'higher' }],
      ['propagated', 'propagated', 'percent', ({ error }) => error && 100 * error.propagatedShare, { brief: false }],
      ['spread', 'spread of ranges', 'number', ({ error }) => error?.spread, { brief: false }],
      ['outliers', 'outlier channels', 'count', ({ error }) => error?.outliers, { brief: false }],
    ]),
    paragraph(
      'SQNR: signal over quantization error of what the layer gives, it alone quantized, and here, with all before it. ' +
        'Propagated: the share of the error here that earlier layers made. Spread: the largest over the smallest range of a sample. ' +
        `Outlier channels: inputs that reach ${OUTLIER_FACTOR} times their median channel.`,
    ),
  ]);
}

export function remedySection(result: Assessment): Section[] {
  const { remedies, subject, policies } = result;
  const before = policies.find(({ name }) => name === subject);
  if (remedies.length === 0 || !before) return [];
  const caption = `Measures against the failure at ${subject}, chosen on the samples searched on`;
  return section('remedies', 'What helps', [
    table(
      { name: 'remedies', caption, brief: true },
      [{ ...before, what: `${subject} as it is` }, ...remedies],
      [
        ['what', 'what', 'text', ({ what }) => what],
        ['value', result.measure, 'percent', ({ accuracy, agreement }) => accuracy ?? agreement],
        ['drop', 'drop', unitOf(result), dropOf],
        ['level', 'level', 'text', ({ level }) => level],
      ],
    ),
  ]);
}

const SHARED = { perChannel: 'a channel', perTensor: 'a tensor', perSample: 'a sample', perBatch: 'a batch' } as const;

export function comparisonSection(result: Assessment): Section[] {
  const { granularity, processors } = result;
  if (granularity.length + processors.length === 0) return [];
  return section('elsewhere', 'Elsewhere', [
    table({ name: 'granularity', caption: 'What shares a scale', brief: true }, granularity, [
      ['policy', 'policy', 'text', ({ policy }) => policy],
      ['weights', 'a weight scale for', 'text', ({ weights }) => SHARED[weights]],
      ['activations', 'an activation range for', 'text', ({ activations }) => SHARED[activations]],
      ['drop', 'drop', unitOf(result), dropOf],
    ]),
    table({ name: 'processors', caption: 'Arithmetic of other processors', brief: true }, processors, [
      ['name', 'processors', 'text', ({ name }) => name],
      ['policy', 'policy', 'text', ({ policy }) => policy],
      ['drop', 'drop', unitOf(result), dropOf],
    ]),
  ]);
}

export function costSection({ estimate, seconds, skipped, samples }: Assessment): Section[] {
  const names = [...new Set([...estimate.stages.map(({ stage }) => stage), ...Object.keys(seconds)])];
  const text =
    `${samples.all} samples: policies were searched and remedies chosen on ${samples.searched}, everything judged on ` +
    `${samples.judged}${samples.apart ? ' others' : ', the same: there are too few to split'}.`;
  const estimated = new Map(estimate.stages.map((each) => [each.stage, each.seconds]));
  return section('cost', 'Samples and time', [
    paragraph(text, true),
    ...bullets(
      skipped.map(({ stage, why }) => `${stage}: ${why}`),
      true,
    ),
    table({ name: 'time', caption: 'Estimated before the start, and spent' }, names, [
      ['stage', 'stage', 'text', (name) => name],
      ['estimate', 'estimate', 'seconds', (name) => estimated.get(name)],
      ['spent', 'spent', 'seconds', (name) => seconds[name]],
    ]),
  ]);
}
