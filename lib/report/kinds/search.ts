// What a search of static policies found: the agent beside its baselines, the landscape where it is known, the policy.
import { basename } from 'node:path';
import { z } from 'zod';
import { parseScheme } from '../../format/scheme.js';
import { extremeOf } from '../../search/judge.js';
import { histogram } from '../../statistics/histogram.js';
import { type Block, chart, type Document, type Section, section, table } from '../document.js';
import { formatNumber, percentText, plural } from '../format.js';
import { count, defineKind, percentage } from '../kind.js';

const searchSchema = z.looseObject({
  schema: z.literal('faultline.search/2'),
  model: z.string(),
  objective: z.enum(['detrimental', 'robust']),
  measure: z.enum(['accuracy', 'agreement']),
  seed: count,
  budget: z.looseObject({ bits: z.number(), choices: z.array(z.string()), policies: z.string() }),
  images: z.looseObject({ searched: count, others: count }),
  fullPrecision: z.looseObject({ searched: percentage.optional(), others: percentage.optional() }),
  operators: z.record(z.string(), z.string()),
  agents: z.array(
    z.looseObject({
      agent: z.string(),
      evaluations: count,
      value: percentage,
      regret: z.number().optional(),
      others: percentage.optional(),
      history: z.array(z.looseObject({ evaluations: count, best: percentage })),
      policy: z.looseObject({ nodes: z.record(z.string(), z.string()) }),
    }),
  ),
  landscape: z.array(percentage).optional(),
  found: z.string(),
});

type Search = z.output<typeof searchSchema>;

/** Bars of the histogram. */
const BINS = 10;

function agentTable({ agents, measure, objective }: Search): Block {
  const better = objective === 'detrimental' ? 'lower' : 'higher';
  const about = { name: 'agents', caption: 'Agents beside baselines with as many evaluations', brief: true };
  return table(about, agents, [
    ['agent', 'agent', 'text', ({ agent }) => agent],
    ['evaluations', 'evaluations', 'count', ({ evaluations }) => evaluations],
    ['value', measure, 'percent', ({ value }) => value, { better }],
    ['regret', 'regret', 'points', ({ regret }) => regret, { better: 'lower' }],
    ['others', 'other images', 'percent', ({ others }) => others, { better }],
  ]);
}

function historyChart({ agents, measure }: Search): Block {
  const caption = `${measure} of the best policy after so many evaluations`;
  const alt = `${measure} over evaluations of ${plural(agents.length, 'agent')}`;
  const series = agents.map(({ agent, history }) => ({
    ...{ name: agent, points: history.map(({ evaluations, best }) => [evaluations, best] as const) },
  }));
  const [x, y] = [{ label: 'evaluations', unit: 'count' } as const, { label: measure, unit: 'percent' } as const];
  return chart({ name: 'history', caption, alt }, { type: 'lines', steps: true, x, y, series });
}

function landscapeSection({ landscape = [], measure }: Search): Section[] {
  const [low, high] = [landscape[0], landscape.at(-1)];
  if (low === undefined || high === undefined) return [];
  const caption = `all ${landscape.length} policies by ${measure}`;
  const ends = `${formatNumber(low, 'percent')} to ${formatNumber(high, 'percent')} %`;
  const alt = `Histogram of the ${measure} of ${landscape.length} policies, ${ends}`;
  const [x, y] = [{ label: measure, unit: 'percent' } as const, { label: 'policies', unit: 'count' } as const];
  const bins = histogram(landscape, BINS, [low, high]);
  const all = chart({ name: 'landscape', caption, alt, brief: true }, { type: 'histogram', x, y, bins });
  return section('landscape', 'Landscape', [all]);
}

/** Every quantized node with its bits. */
function policySection({ agents, found, operators }: Search, extreme: string): Section[] {
  const policy = agents.find(({ agent }) => agent === found)?.policy.nodes ?? {};
  const nodes = Object.entries(policy).map(([node, name]) => ({ node, name, scheme: parseScheme(name) }));
  return section('policy', `The ${extreme} policy found`, [
    table({ name: 'policy', caption: `Found by ${found}`, brief: true }, nodes, [
      ['node', 'node', 'text', ({ node }) => node],
      ['operator', 'operator', 'text', ({ node }) => operators[node]],
      ['scheme', 'scheme', 'text', ({ name }) => name],
      ['weights', 'weights', 'bits', ({ scheme }) => scheme.weights.format.bits],
      ['activations', 'activations', 'bits', ({ scheme }) => scheme.activations.format.bits],
    ]),
  ]);
}

function searchDocument(result: Search): Document {
  const { model, objective, budget, images, fullPrecision, agents, found, measure, seed } = result;
  const extreme = extremeOf(objective);
  const best = agents.find(({ agent }) => agent === found);
  const fp = [fullPrecision.searched, fullPrecision.others].flatMap((value) =>
    value === undefined ? [] : formatNumber(value, 'percent'),
  );
  const reached = best ? `: ${percentText(best.value)} ${measure}` : '';
  return {
    title: `${extreme} policy of ${basename(model)} at ${formatNumber(budget.bits, 'bits')} effective bits`,
    lead:
      `The ${extreme} of ${budget.policies} policies of {${budget.choices.join(', ')}} found, by ${found}${reached}. ` +
      `Searched on ${plural(images.searched, 'image')}` +
      `${images.others > 0 ? `, judged on ${images.others} others` : ', no others to judge on'}` +
      `${fp.length > 0 ? `; full precision ${fp.join(' and ')} %` : ''}.`,
    facts: [],
    sections: [
      ...section('agents', 'Agents', [agentTable(result), historyChart(result)]),
      ...landscapeSection(result),
      ...policySection(result, extreme),
    ],
    footer: `faultline · seed ${seed}`,
  };
}

export const kind = defineKind({ schema: 'faultline.search/2', result: searchSchema, document: searchDocument });
