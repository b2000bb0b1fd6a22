// Charts as SVG, drawn on the server by Observable Plot. Colours are CSS variables (style.ts), text is the page's.
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import type {
  BarChart,
  ChartData,
  HistogramChart,
  LineChart,
  RangeChart,
  ScatterChart,
  StackedChart,
} from '../chart.js';
import { formatNumber, isMeasured } from '../format.js';
import { cells } from './cells.js';
import { FONT_SIZE, GRID, INK, leftLabels, PIXELS, SOFT, seriesColour, type Width, xScale } from './layout.js';

const ROW = 24;
const MOST_WHOLE_TICKS = 8;

function draw(options: Plot.PlotOptions, width: number, title: string): string {
  const { document } = parseHTML('<!doctype html><html><body></body></html>') as unknown as { document: unknown };
  const plot = Plot.plot({
    document,
    width,
    marginRight: 16,
    style: { fontSize: `${FONT_SIZE}px`, background: 'none', color: SOFT, fontFamily: 'inherit', overflow: 'visible' },
    ...options,
  } as Plot.PlotOptions);
  plot.setAttribute('role', 'img');
  plot.setAttribute('aria-label', title);
  // A page has several drawings of a chart: the page's style sheet replaces Plot's.
  for (const style of plot.querySelectorAll('style')) style.remove();
  plot.removeAttribute('class');
  return plot.outerHTML;
}

function lines(chart: LineChart | ScatterChart, size: Width): Plot.PlotOptions {
  const scatter = chart.type === 'scatter';
  const rules = chart.type === 'lines' ? (chart.rules ?? []) : [];
  const curve = chart.type === 'lines' && chart.steps ? 'step-after' : 'linear';
  return {
    height: size === 'wide' ? 300 : 240,
    marginLeft: 52,
    marginBottom: 40,
    marginTop: 24,
    x: { ...xScale(chart.x, size), ...(wholeTicks(chart) as object) },
    y: {
      ...xScale(chart.y, size),
      labelAnchor: 'top',
      tickSpacing: 45,
      nice: true,
    } as Plot.ScaleOptions,
    marks: [
      Plot.gridY({ stroke: GRID, strokeOpacity: 1 }),
      Plot.ruleY(rules, { y: 'y', stroke: SOFT, strokeDasharray: '4 3' }),
      Plot.text(rules, { y: 'y', text: 'label', frameAnchor: 'right', textAnchor: 'end', dy: -7, fill: SOFT }),
      ...chart.series.flatMap(({ points }, index) => {
        const axes = { x: (p: readonly number[]) => p[0], y: (p: readonly number[]) => p[1] };
        const colour = seriesColour(index);
        if (scatter) return [Plot.dot(points, { ...axes, fill: colour, r: 3.5, fillOpacity: 0.75 })];
        if (points.length === 1) return [Plot.dot(points, { ...axes, fill: colour, r: 3.5 })];
        return [Plot.line(points, { ...axes, stroke: colour, strokeWidth: 1.9, curve, strokeLinejoin: 'round' })];
      }),
    ],
  };
}

/** Epochs and the like: a tick at each, none between. */
function wholeTicks({ series }: LineChart | ScatterChart): { ticks?: number[] } {
  const xs = [...new Set(series.flatMap(({ points }) => points.map(([x]) => x)))];
  return xs.length <= MOST_WHOLE_TICKS && xs.every(Number.isInteger) ? { ticks: xs } : {};
}

function bars(chart: BarChart, size: Width): Plot.PlotOptions {
  const rows = chart.bars.map((bar, index) => ({ ...bar, index }));
  const { marginLeft, short } = leftLabels(
    rows.map(({ label }) => label),
    PIXELS[size],
  );
  const values = rows.map(({ value }) => value);
  return {
    height: rows.length * ROW + 46,
    marginLeft,
    marginRight: 62,
    marginTop: 6,
    marginBottom: 40,
    x: {
      ...xScale(chart.x, size),
      ...(chart.x.domain ? {} : { domain: [Math.min(0, ...values), Math.max(1e-9, ...values)] }),
    } as Plot.ScaleOptions,
    y: {
      type: 'band',
      label: null,
      tickSize: 0,
      tickFormat: (i: number) => short(rows[i]?.label ?? ''),
      padding: 0.28,
    },
    marks: [
      Plot.gridX({ stroke: GRID, strokeOpacity: 1 }),
      Plot.barX(rows, {
        y: 'index',
        x: 'value',
        rx: 2,
        fill: (row: (typeof rows)[number]) => (row.emphasis ? 'var(--bad)' : 'var(--series0)'),
      }),
      Plot.ruleY(
        rows.filter(({ interval }) => interval !== undefined),
        { y: 'index', x1: (row) => row.interval?.[0], x2: (row) => row.interval?.[1], stroke: INK },
      ),
      Plot.text(rows, {
        y: 'index',
        x: (row: (typeof rows)[number]) => Math.max(0, row.interval?.[1] ?? row.value),
        text: (row: (typeof rows)[number]) => formatNumber(row.value, chart.x.unit),
        textAnchor: 'start',
        dx: 6,
        fill: INK,
      }),
      Plot.ruleX([0], { stroke: SOFT }),
    ],
  };
}

function stacked(chart: StackedChart, size: Width): Plot.PlotOptions {
  const { marginLeft, short } = leftLabels(
    chart.rows.map(({ label }) => label),
    PIXELS[size],
  );
  const pieces = chart.rows.flatMap(({ values }, index) => {
    let end = 0;
    return values.map((value, part) => {
      const from = end;
      end += value;
      return { index, part, from, to: end };
    });
  });
  return {
    height: chart.rows.length * ROW + 46,
    marginLeft,
    marginTop: 6,
    marginBottom: 40,
    x: xScale(chart.x, size),
    y: {
      type: 'band',
      label: null,
      tickSize: 0,
      padding: 0.28,
      tickFormat: (i: number) => short(chart.rows[i]?.label ?? ''),
    },
    marks: [
      Plot.gridX({ stroke: GRID, strokeOpacity: 1 }),
      Plot.barX(pieces, {
        y: 'index',
        x1: 'from',
        x2: 'to',
        fill: ({ part }: (typeof pieces)[number]) => partColour(chart.parts, part),
      }),
      Plot.ruleX([0], { stroke: SOFT }),
    ],
  };
}

/** Parts that are numbers of bits have the shades of bits. */
function partColour(parts: readonly string[], part: number): string {
  const bits = /^([2-8]) bits$/.exec(parts[part] ?? '');
  return bits ? `var(--bits${bits[1]})` : seriesColour(part);
}

const FROM_COLOUR = 'var(--series7)';
const TO_COLOUR = 'var(--series1)';

function ranges(chart: RangeChart, size: Width): Plot.PlotOptions {
  const { marginLeft, short } = leftLabels(
    chart.rows.map(({ label }) => label),
    PIXELS[size],
  );
  const rows = chart.rows.map((row, index) => ({ ...row, index }));
  type Row = (typeof rows)[number];
  const ends = (side: 'from' | 'to', colour: string) => [
    Plot.ruleY(
      rows.filter((row) => isMeasured(row[side]) && row[side].interval !== undefined),
      {
        y: 'index',
        x1: (row: Row) => row[side].interval?.[0],
        x2: (row: Row) => row[side].interval?.[1],
        stroke: colour,
        strokeWidth: 7,
        strokeOpacity: 0.35,
        strokeLinecap: 'round',
      },
    ),
    Plot.dot(rows, { y: 'index', x: (row: Row) => row[side].value, r: 4.5, fill: colour }),
  ];
  return {
    height: rows.length * ROW + 46,
    marginLeft,
    marginRight: 48,
    marginTop: 6,
    marginBottom: 40,
    x: xScale(chart.x, size),
    y: {
      type: 'point',
      label: null,
      tickSize: 0,
      padding: 0.6,
      tickFormat: (i: number) => short(rows[i]?.label ?? ''),
    },
    marks: [
      Plot.gridX({ stroke: GRID, strokeOpacity: 1 }),
      Plot.ruleY(rows, {
        y: 'index',
        x1: (row: Row) => row.from.value,
        x2: (row: Row) => row.to.value,
        stroke: SOFT,
        strokeOpacity: 0.45,
        strokeWidth: 2,
      }),
      ...ends('from', FROM_COLOUR),
      ...ends('to', TO_COLOUR),
      Plot.text(rows, {
        y: 'index',
        frameAnchor: 'right',
        textAnchor: 'start',
        dx: 8,
        text: (row: Row) => formatNumber(row.to.value, chart.x.unit === 'percent' ? 'decibels' : chart.x.unit),
        fill: INK,
      }),
    ],
  };
}

function histogram(chart: HistogramChart, size: Width): Plot.PlotOptions {
  const marks = chart.marks ?? [];
  const most = Math.max(0, ...chart.bins.map(({ count }) => count));
  const ticks = most <= MOST_WHOLE_TICKS ? { ticks: Array.from({ length: most + 1 }, (_, i) => i) } : {};
  return {
    height: size === 'wide' ? 240 : 210,
    marginLeft: 52,
    marginTop: marks.length > 0 ? 18 + 15 * marks.length : 24,
    marginBottom: 40,
    x: xScale(chart.x, size),
    y: { ...xScale(chart.y, size), labelAnchor: 'top', tickSpacing: 45, ...ticks } as Plot.ScaleOptions,
    marks: [
      Plot.gridY({ stroke: GRID, strokeOpacity: 1 }),
      Plot.rectY(chart.bins, {
        x1: 'from',
        x2: 'to',
        y: 'count',
        fill: 'var(--series0)',
        insetLeft: 0.5,
        insetRight: 0.5,
      }),
      Plot.ruleY([0], { stroke: SOFT }),
      ...marks.flatMap((mark, index) => [
        Plot.ruleX([mark], {
          x: 'x',
          stroke: 'var(--bad)',
          strokeDasharray: '4 3',
          insetTop: -15 * (marks.length - index) + 6,
        }),
        Plot.text([mark], {
          x: 'x',
          text: 'label',
          frameAnchor: 'top',
          textAnchor: nearRight(mark.x, chart) ? 'end' : 'start',
          dx: nearRight(mark.x, chart) ? -5 : 5,
          dy: -15 * (marks.length - index) + 3,
          fill: INK,
        }),
      ]),
    ],
  };
}

function nearRight(x: number, { bins, x: axis }: HistogramChart): boolean {
  const [low, high] = axis.domain ?? [bins[0]?.from ?? 0, bins.at(-1)?.to ?? 1];
  return x > (low + high) / 2;
}

/** An SVG element, `title` its accessible name. */
export function drawChart(chart: ChartData, size: Width, title: string): string {
  const options = optionsOf(chart, size);
  return draw(options, PIXELS[size], title);
}

function optionsOf(chart: ChartData, size: Width): Plot.PlotOptions {
  switch (chart.type) {
    case 'lines':
    case 'scatter':
      return lines(chart, size);
    case 'bars':
      return bars(chart, size);
    case 'stacked':
      return stacked(chart, size);
    case 'ranges':
      return ranges(chart, size);
    case 'histogram':
      return histogram(chart, size);
    case 'cells':
      return cells(chart, size);
  }
}

/** What the colours mean: name and CSS colour; none where there is one colour only. */
export function keysOf(chart: ChartData): { readonly name: string; readonly colour: string }[] {
  switch (chart.type) {
    case 'lines':
    case 'scatter':
      if (chart.series.length === 1 && chart.series[0]?.name === chart.y.label) return [];
      return chart.series.map(({ name }, index) => ({ name, colour: seriesColour(index) }));
    case 'stacked':
      return chart.parts.map((name, index) => ({ name, colour: partColour(chart.parts, index) }));
    case 'ranges':
      return [
        { name: chart.names[0], colour: FROM_COLOUR },
        { name: chart.names[1], colour: TO_COLOUR },
      ];
    default:
      return [];
  }
}
