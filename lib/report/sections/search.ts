// How the agents searched: regret beside the baselines at equal evaluations, the landscape they searched, training
// curves.
import { mean, standardDeviation } from '../../statistics/summary.js';
import type { Block, Chart, Section } from '../document.js';
import { formatNumber, plural } from '../format.js';
import { groupBy, namedPairs } from '../names.js';
import type { Curve, Landscape, Report, SearchResult } from '../schema.js';

/** The mean of curves [evaluations, value], each holding its value until its next point. */
export function meanCurve(curves: readonly (readonly (readonly [number, number])[])[]): [number, number][] {
  const xs = [...new Set(curves.flatMap((curve) => curve.map(([x]) => x)))].sort((a, b) => a - b);
  const start = Math.max(...curves.map(([first]) => first?.[0] ?? 0));
  const at = (curve: (typeof curves)[number], x: number) => curve.findLast(([from]) => from <= x)?.[1] as number;
  return xs.filter((x) => x >= start).map((x) => [x, mean(curves.map((curve) => at(curve, x)))]);
}

function searchBlocks(landscape: string, results: readonly SearchResult[]): Block[] {
  const suffix = landscape === '' ? '' : `, ${landscape}`;
  const agents = [...groupBy(results, ({ agent, evaluations }) => `${agent}\n${evaluations}`).values()];
  const rows = agents
    .map((runs) => ({ runs, regret: mean(runs.map(({ regret }) => regret)) }))
    .sort((a, b) => a.regret - b.regret)
    .map(({ runs, regret }) => {
      const { agent, evaluations } = runs[0] as SearchResult;
      return [agent, evaluations, runs.length, regret, standardDeviation(runs.map((run) => run.regret))];
    });
  const curves = [...groupBy(results, ({ agent }) => agent)].flatMap(([name, runs]) => {
    const drawn = runs.flatMap(({ curve }) => (curve && curve.length > 0 ? [curve] : []));
    return drawn.length === 0 ? [] : [{ name, points: meanCurve(drawn) }];
  });
  const chart: Chart[] = [
    {
      kind: 'chart',
      name: `search-curve${landscape === '' ? '' : `-${landscape}`}`,
      caption: `Regret after as many evaluations${suffix}`,
      alt: `Regret of ${plural(curves.length, 'agent')} over the number of evaluations${suffix}`,
      data: {
        type: 'lines',
        steps: true,
        x: { label: 'evaluations', unit: 'count' },
        y: { label: 'regret', unit: 'points' },
        series: curves,
      },
    },
  ];
  return [
    ...(curves.length > 0 ? chart : []),
    {
      kind: 'table',
      name: `search${landscape === '' ? '' : `-${landscape}`}`,
      caption: `Agents and baselines at equal evaluations${suffix}`,
      brief: true,
      columns: [
        { key: 'agent', label: 'agent', unit: 'text' },
        { key: 'evaluations', label: 'evaluations', unit: 'count' },
        { key: 'runs', label: 'runs', unit: 'count' },
        { key: 'regret', label: 'regret', unit: 'points' },
        { key: 'regretDeviation', label: '±', unit: 'points' },
      ],
      rows,
    },
  ];
}

function landscapeChart(landscape: Landscape): Chart {
  const { name, policies, exhaustive, bins, marks, budget } = landscape;
  const all = exhaustive ? `all ${plural(policies, 'policy', 'policies')}` : plural(policies, 'policy', 'policies');
  const under = budget === undefined ? '' : ` of ${formatNumber(budget, 'bits')} bits`;
  return {
    kind: 'chart',
    name: `landscape-${name}`,
    caption: `${name}: ${all}${under}${exhaustive ? '' : ', drawn at random'}`,
    alt: `Histogram of the accuracy of ${all} on ${name}`,
    data: {
      type: 'histogram',
      x: { label: 'accuracy', unit: 'percent' },
      y: { label: 'policies', unit: 'count' },
      bins,
      marks,
    },
  };
}

export function searchSection(report: Report): Section | undefined {
  const byLandscape = groupBy(report.search, ({ landscape = '' }) => landscape);
  const blocks = [
    ...[...byLandscape].flatMap(([landscape, results]) => searchBlocks(landscape, results)),
    ...(report.landscapes ?? []).map(landscapeChart),
  ];
  if (blocks.length === 0) return undefined;
  const text =
    'Regret is the distance in points between the worst policy an agent found and the worst there is: 0 is perfect. ' +
    'Baselines get as many evaluations as the agent.';
  return { id: 'search', title: 'Search', blocks: [{ kind: 'text', text }, ...blocks] };
}

/** A curve as a chart; `owner` names its network. */
function curveChart(curve: Curve, owner: string): Chart {
  const { title, xLabel, yLabel, yUnit, series } = curve;
  const name = owner === '' ? title : `${owner}: ${title}`;
  return {
    kind: 'chart',
    name: `curve-${name}`,
    caption: name,
    alt: `${name}: ${yLabel} over ${xLabel}, ${series.map((one) => one.name).join(', ')}`,
    data: {
      type: 'lines',
      x: { label: xLabel, unit: 'number' },
      y: { label: yLabel, unit: yUnit },
      series,
    },
  };
}

export function trainingSection(report: Report): Section | undefined {
  const several = new Set(report.gauge.map(({ seed }) => seed)).size > 1;
  const owned: [string, readonly Curve[]][] = [
    ['', report.curves ?? []],
    ['teacher', report.teacher?.curves ?? []],
    ...namedPairs(report).map(({ name, pair }): [string, readonly Curve[]] => [name, pair.curves ?? []]),
    ...report.gauge.map((one): [string, readonly Curve[]] => [
      `gauge, ${one.bits}${several ? `, seed ${one.seed}` : ''}`,
      one.curves ?? [],
    ]),
  ];
  const blocks = owned.flatMap(([owner, curves]) => curves.map((curve) => curveChart(curve, owner)));
  return blocks.length === 0 ? undefined : { id: 'training', title: 'Training', blocks };
}
