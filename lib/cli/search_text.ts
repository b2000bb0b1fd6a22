// A search on the terminal, 80 columns: agents beside each other, the landscape where it is known, the policy by layer.

import { MOST_BITS } from '../format/numeric_format.js';
import { parseScheme } from '../format/scheme.js';
import type { Graph } from '../graph/graph.js';
import { shorten, summarize } from '../graph/printer.js';
import { extremeOf } from '../search/judge.js';
import type { SearchReport } from '../search/search.js';

const NAME = 28;
const OPERATOR = 18;
/** Bars of the histogram, and its widest. */
const BINS = 10;
const WIDEST = 50;

const two = (value: number | undefined) => (value === undefined ? '–' : value.toFixed(2));

function agentTable({ agents, measure }: SearchReport): string[] {
  const row = (cells: readonly string[]) =>
    `${(cells[0] ?? '').padEnd(12)}${cells
      .slice(1)
      .map((cell) => cell.padStart(13))
      .join('')}`;
  return [
    row(['agent', 'evaluations', `${measure} %`, 'regret', 'other images']),
    ...agents.map(({ agent, evaluations, value, regret, others }) =>
      row([agent, String(evaluations), two(value), two(regret), two(others)]),
    ),
    '',
  ];
}

function histogram({ landscape, measure }: SearchReport): string[] {
  if (!landscape || landscape.length === 0) return [];
  const [low, high] = [landscape[0] as number, landscape.at(-1) as number];
  const width = (high - low) / BINS || 1;
  const counts = new Array<number>(BINS).fill(0);
  for (const value of landscape) {
    const bin = Math.min(BINS - 1, Math.floor((value - low) / width));
    counts[bin] = (counts[bin] as number) + 1;
  }
  const most = Math.max(...counts);
  const lines = counts.map((count, bin) => {
    const bar = '█'.repeat(Math.ceil((WIDEST * count) / most));
    return `${(low + bin * width).toFixed(1).padStart(6)} … ${(low + (bin + 1) * width).toFixed(1).padStart(5)} ${bar} ${count}`;
  });
  return [`all ${landscape.length} policies by ${measure} %`, ...lines, ''];
}

/** Every quantized node with its bits as bars. */
export function policyLines(graph: Graph, nodes: Readonly<Record<string, string>>): string[] {
  const summaries = new Map(summarize(graph).nodes.map((node) => [node.name, node]));
  const bar = (mark: string, bits: number) => `${mark}${bits} ${'█'.repeat(bits).padEnd(MOST_BITS)}`;
  return Object.entries(nodes).map(([name, scheme]) => {
    const { weights, activations } = parseScheme(scheme);
    const { operator = '', detail = '' } = summaries.get(name) ?? {};
    const kind = shorten(`${operator} ${detail}`.trimEnd(), OPERATOR).padEnd(OPERATOR);
    return `${shorten(name, NAME).padEnd(NAME)} ${kind} ${bar('W', weights.format.bits)} ${bar('A', activations.format.bits)}`.trimEnd();
  });
}

/** `last`: a line to end with. */
export function searchText(graph: Graph, report: SearchReport, last: string): string {
  const { objective, budget, images, fullPrecision, agents, found, measure } = report;
  const extreme = extremeOf(objective);
  const fp = [fullPrecision.searched, fullPrecision.others].filter((value) => value !== undefined).map(two);
  const best = agents.find(({ agent }) => agent === found);
  const judged = images.others > 0 ? `, other images: ${images.others}` : ', no others to judge on';
  return [
    shorten(
      `${extreme} policy at ${budget.bits} effective bits of {${budget.choices.join(', ')}}: ${budget.policies} policies`,
      80,
    ),
    `searched on ${images.searched} images${judged}${fp.length > 0 ? `; full precision ${fp.join(' and ')} %` : ''}`,
    '',
    ...agentTable(report),
    ...histogram(report),
    `the ${extreme} found, by ${found}: ${two(best?.value)} % ${measure}`,
    ...policyLines(graph, best?.policy.nodes ?? {}),
    '',
    last,
    '',
  ].join('\n');
}
