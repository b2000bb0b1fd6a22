// How the agents searched: regret beside the baselines at equal evaluations, the landscape they searched, training
// curves.

import { groupBy } from '../../core/group_by.js';
import { mean, standardDeviation } from '../../statistics/summary.js';
import { type Block, type Chart, chart, paragraph, type Section, section, table } from '../document.js';
import { formatNumber, plural } from '../format.js';
import { gaugeNames, namedPairs } from '../names.js';
import type { Curve, Landscape, Report, SearchResult } from '../schema.js';

/** The mean of curves [evaluations, value], each holding its value until its next point. */
export function meanCurve(curves: readonly (readonly (readonly [number, number])[])[]): [number, number][] {
  const xs = [...new Set(curves.flatMap((curve) => curve.map(([x]) => x)))].sort((a, b) => a - b);
  const start = Math.max(...curves.map(([first]) => first?.[0] ?? 0));
  const at = (curve: (typeof curves)[number], x: number) => curve.findLast(([from]) => from <= x)?.[1] as number;
  return xs.filter((x) => x >= start).map((x) => [x, mean(curves.map((curve) => at(curve, x)))]);
}

function searchBlocks(landscape: string, results: readonly SearchResult[]): Block[] {
  const [ending, suffix] = landscape === '' ? ['', ''] : [`-${landscape}`, `, ${landscape}`];
  const agents = [...groupBy(results, ({ agent, evaluations }) => `${agent}\n${evaluations}`).values()]
    .map((runs) => ({ runs, ...(runs[0] as SearchResult), regret: mean(runs.map(({ regret }) => regret)) }))
    .sort((a, b) => a.regret - b.regret);
  const series = [...groupBy(results, ({ agent }) => agent)].flatMap(([name, runs]) => {
    const drawn = runs.flatMap(({ curve }) => (curve && curve.length > 0 ? [curve] : []));
    return drawn.length === 0 ? [] : [{ name, points: meanCurve(drawn) }];
  });
  const caption = `Regret after as many evaluations${suffix}`;
  const alt = `Regret of ${plural(series.length, 'agent')} over the number of evaluations${suffix}`;
  const [x, y] = [{ label: 'evaluations', unit: 'count' } as const, { label: 'regret', unit: 'points' } as const];
  const curves = chart({ name: `search-curve${ending}`, caption, alt }, { type: 'lines', steps: true, x, y, series });
  const about = { name: `search${ending}`, caption: `Agents and baselines at equal evaluations${suffix}`, brief: true };
  return [
    ...(series.length > 0 ? [curves] : []),
    table(about, agents, [
      ['agent', 'agent', 'text', ({ agent }) => agent],
      ['evaluations', 'evaluations', 'count', ({ evaluations }) => evaluations],
      ['runs', 'runs', 'count', ({ runs }) => runs.length],
      ['regret', 'regret', 'points', ({ regret }) => regret],
      ['regretDeviation', '±', 'points', ({ runs }) => standardDeviation(runs.map(({ regret }) => regret))],
    ]),
  ];
}

function landscapeChart(landscape: Landscape): Chart {
  const { name, policies, exhaustive, bins, marks, budget } = landscape;
  const all = `${exhaustive ? 'all ' : ''}${plural(policies, 'policy', 'policies')}`;
  const under = budget === undefined ? '' : ` of ${formatNumber(budget, 'bits')} bits`;
  const caption = `${name}: ${all}${under}${exhaustive ? '' : ', drawn at random'}`;
  const [x, y] = [{ label: 'accuracy', unit: 'percent' } as const, { label: 'policies', unit: 'count' } as const];
  const about = { name: `landscape-${name}`, caption, alt: `Histogram of the accuracy of ${all} on ${name}` };
  return chart(about, { type: 'histogram', x, y, bins, marks });
}

export function searchSection(report: Report): Section[] {
  const byLandscape = groupBy(report.search, ({ landscape = '' }) => landscape);
  const blocks = [
    ...[...byLandscape].flatMap(([landscape, results]) => searchBlocks(landscape, results)),
    ...(report.landscapes ?? []).map(landscapeChart),
  ];
  if (blocks.length === 0) return [];
  const text =
    'Regret is the distance in points between the worst policy an agent found and the worst there is: 0 is perfect. ' +
    'Baselines get as many evaluations as the agent.';
  return section('search', 'Search', [paragraph(text), ...blocks]);
}

/** A curve as a chart; `owner` names its network. */
function curveChart({ title, xLabel, yLabel, yUnit, series }: Curve, owner: string): Chart {
  const name = owner === '' ? title : `${owner}: ${title}`;
  const alt = `${name}: ${yLabel} over ${xLabel}, ${series.map((one) => one.name).join(', ')}`;
  const [x, y] = [{ label: xLabel, unit: 'number' } as const, { label: yLabel, unit: yUnit }];
  return chart({ name: `curve-${name}`, caption: name, alt }, { type: 'lines', x, y, series });
}

export function trainingSection(report: Report): Section[] {
  const names = gaugeNames(report);
  const owned: (readonly [owner: string, curves: readonly Curve[] | undefined])[] = [
    ['', report.curves],
    ['teacher', report.teacher?.curves],
    ...namedPairs(report).map(({ name, pair }) => [name, pair.curves] as const),
    ...report.gauge.map(({ curves }, at) => [names[at] as string, curves] as const),
  ];
  const blocks = owned.flatMap(([owner, curves = []]) => curves.map((curve) => curveChart(curve, owner)));
  return section('training', 'Training', blocks);
}
