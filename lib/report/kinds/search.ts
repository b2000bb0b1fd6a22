// What a search of static policies found: the agent beside its baselines, the landscape where it is known, the policy.
import { basename } from 'node:path';
import { z } from 'zod';
import { parseScheme } from '../../format/scheme.js';
import { extremeOf } from '../../search/judge.js';
import { histogram } from '../../statistics/histogram.js';
import { type Block, type Column, column, type Document, type Section } from '../document.js';
import { type Cell, formatNumber, formatQuantity, plural } from '../format.js';
import { count, defineKind } from '../kind.js';

const percentage = z.number().min(0).max(100);

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
  return {
    kind: 'table',
    name: 'agents',
    caption: 'Agents beside baselines with as many evaluations',
    brief: true,
    columns: [
      column('agent', 'agent', 'text'),
      column('evaluations', 'evaluations', 'count'),
      column('value', measure, 'percent', { better }),
      column('regret', 'regret', 'points', { better: 'lower' }),
      column('others', 'other images', 'percent', { better }),
    ],
    rows: agents.map(({ agent, evaluations, value, regret, others }): Cell[] => [
      agent,
      evaluations,
      value,
      regret,
      others,
    ]),
  };
}

function historyChart({ agents, measure }: Search): Block {
  return {
    kind: 'chart',
    name: 'history',
    caption: `${measure} of the best policy after so many evaluations`,
    alt: `${measure} over evaluations of ${plural(agents.length, 'agent')}`,
    data: {
      type: 'lines',
      steps: true,
      x: { label: 'evaluations', unit: 'count' },
      y: { label: measure, unit: 'percent' },
      series: agents.map(({ agent, history }) => ({
        name: agent,
        points: history.map(({ evaluations, best }) => [evaluations, best] as const),
      })),
    },
  };
}

function landscapeSection({ landscape = [], measure }: Search): Section[] {
  const [low, high] = [landscape[0], landscape.at(-1)];
  if (low === undefined || high === undefined) return [];
  const chart: Block = {
    kind: 'chart',
    name: 'landscape',
    caption: `all ${landscape.length} policies by ${measure}`,
    alt: `Histogram of the ${measure} of ${landscape.length} policies, ${formatNumber(low, 'percent')} to ${formatNumber(high, 'percent')} %`,
    brief: true,
    data: {
      type: 'histogram',
      x: { label: measure, unit: 'percent' },
      y: { label: 'policies', unit: 'count' },
      bins: histogram(landscape, BINS, [low, high]),
    },
  };
  return [{ id: 'landscape', title: 'Landscape', blocks: [chart] }];
}

const bitsColumn = (key: string, label: string): Column => column(key, label, 'bits');

/** Every quantized node with its bits. */
function policySection({ agents, found, operators }: Search, extreme: string): Section {
  const nodes = Object.entries(agents.find(({ agent }) => agent === found)?.policy.nodes ?? {});
  const rows = nodes.map(([node, name]): Cell[] => {
    const { weights, activations } = parseScheme(name);
    return [node, operators[node], name, weights.format.bits, activations.format.bits];
  });
  return {
    id: 'policy',
    title: `The ${extreme} policy found`,
    blocks: [
      {
        kind: 'table',
        name: 'policy',
        caption: `Found by ${found}`,
        brief: true,
        columns: [
          column('node', 'node', 'text'),
          column('operator', 'operator', 'text'),
          column('scheme', 'scheme', 'text'),
          bitsColumn('weights', 'weights'),
          bitsColumn('activations', 'activations'),
        ],
        rows,
      },
    ],
  };
}

function searchDocument(result: Search): Document {
  const { model, objective, budget, images, fullPrecision, agents, found, measure, seed } = result;
  const extreme = extremeOf(objective);
  const best = agents.find(({ agent }) => agent === found);
  const fp = [fullPrecision.searched, fullPrecision.others].flatMap((value) =>
    value === undefined ? [] : formatNumber(value, 'percent'),
  );
  const reached = best ? `: ${formatQuantity(best.value, 'percent')} ${measure}` : '';
  return {
    title: `${extreme} policy of ${basename(model)} at ${budget.bits} effective bits`,
    lead:
      `The ${extreme} of ${budget.policies} policies of {${budget.choices.join(', ')}} found, by ${found}${reached}. ` +
      `Searched on ${plural(images.searched, 'image')}` +
      `${images.others > 0 ? `, judged on ${images.others} others` : ', no others to judge on'}` +
      `${fp.length > 0 ? `; full precision ${fp.join(' and ')} %` : ''}.`,
    facts: [],
    sections: [
      { id: 'agents', title: 'Agents', blocks: [agentTable(result), historyChart(result)] },
      ...landscapeSection(result),
      policySection(result, extreme),
    ],
    footer: `faultline · seed ${seed}`,
  };
}

export const kind = defineKind({ schema: 'faultline.search/2', result: searchSchema, document: searchDocument });
