// Charts as data: what is drawn, apart from how. HTML draws them; every format can show the same figures as a table.
import type { Interval } from '../statistics/shares.js';
import type { Table } from './document.js';
import type { Cell, Measured, Unit } from './format.js';

export interface Axis {
  readonly label: string;
  readonly unit: Unit;
  /** Ends of the axis, by default those of the data. */
  readonly domain?: Interval | undefined;
  readonly log?: boolean | undefined;
}

interface Series {
  readonly name: string;
  /** [x, y] in the order in which they are joined. */
  readonly points: readonly (readonly [number, number])[];
}

export interface LineChart {
  readonly type: 'lines';
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
  /** Horizontal lines to compare with. */
  readonly rules?: readonly { readonly y: number; readonly label: string }[] | undefined;
  /** A value holds until the next one: best so far. Default false. */
  readonly steps?: boolean | undefined;
}

export interface ScatterChart {
  readonly type: 'scatter';
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
}

/** Horizontal bars from zero. */
export interface BarChart {
  readonly type: 'bars';
  readonly x: Axis;
  readonly bars: readonly (Measured & { readonly label: string; readonly emphasis?: boolean | undefined })[];
}

/** Horizontal bars of parts that add up: a waterfall of error, where the time went. */
export interface StackedChart {
  readonly type: 'stacked';
  readonly x: Axis;
  readonly parts: readonly string[];
  readonly rows: readonly { readonly label: string; readonly values: readonly number[] }[];
}

/** Two figures a row, joined: before and after. */
export interface RangeChart {
  readonly type: 'ranges';
  readonly x: Axis;
  readonly names: readonly [string, string];
  readonly rows: readonly { readonly label: string; readonly from: Measured; readonly to: Measured }[];
}

export interface HistogramChart {
  readonly type: 'histogram';
  readonly x: Axis;
  readonly y: Axis;
  readonly bins: readonly { readonly from: number; readonly to: number; readonly count: number }[];
  /** Where something lies among the counted. */
  readonly marks?: readonly { readonly x: number; readonly label: string }[] | undefined;
}

/** A heat map. */
export interface CellChart {
  readonly type: 'cells';
  readonly columnsLabel: string;
  readonly rowsLabel: string;
  readonly columns: readonly string[];
  readonly rows: readonly string[];
  /** values[row][column] */
  readonly values: readonly (readonly (number | null)[])[];
  readonly unit: Unit;
  /** `bits`: 2–8 each have a shade, more bits the calmer one; `heat`: nothing to `domain[1]`, the higher the hotter. */
  readonly shades: 'bits' | 'heat';
  /** Values of the palest and the strongest shade of `heat`, by default 0 and the largest. */
  readonly domain?: Interval | undefined;
}

export type ChartData = LineChart | ScatterChart | BarChart | StackedChart | RangeChart | HistogramChart | CellChart;

/** The figures of a chart as a table; `name` and `caption` are the table's. */
export function chartTable(name: string, caption: string, chart: ChartData): Table {
  const text = (key: string, label: string) => ({ key, label, unit: 'text' as const });
  const figure = (key: string, label: string, unit: Unit) => ({ key, label, unit });
  switch (chart.type) {
    case 'lines':
    case 'scatter': {
      const columns = [
        text('series', 'series'),
        figure('x', chart.x.label, chart.x.unit),
        figure('y', chart.y.label, chart.y.unit),
      ];
      const rows = chart.series.flatMap((series) => series.points.map(([x, y]): Cell[] => [series.name, x, y]));
      return { kind: 'table', name, caption, columns, rows };
    }
    case 'bars': {
      const columns = [text('label', ''), figure('value', chart.x.label, chart.x.unit)];
      const rows = chart.bars.map(({ label, value, interval }): Cell[] => [label, { value, interval }]);
      return { kind: 'table', name, caption, columns, rows };
    }
    case 'stacked': {
      const columns = [text('label', ''), ...chart.parts.map((part) => figure(part, part, chart.x.unit))];
      return { kind: 'table', name, caption, columns, rows: chart.rows.map((row) => [row.label, ...row.values]) };
    }
    case 'ranges': {
      const [from, to] = chart.names;
      const columns = [text('label', ''), figure('from', from, chart.x.unit), figure('to', to, chart.x.unit)];
      return { kind: 'table', name, caption, columns, rows: chart.rows.map((row) => [row.label, row.from, row.to]) };
    }
    case 'histogram': {
      const { label, unit } = chart.x;
      const columns = [
        figure('from', `${label}, from`, unit),
        figure('to', 'to', unit),
        figure('count', chart.y.label, chart.y.unit),
      ];
      return { kind: 'table', name, caption, columns, rows: chart.bins.map((bin) => [bin.from, bin.to, bin.count]) };
    }
    case 'cells': {
      const columns = [
        text('row', chart.rowsLabel),
        ...chart.columns.map((column) => figure(column, column, chart.unit)),
      ];
      const rows = chart.rows.map((row, index): Cell[] => [row, ...(chart.values[index] ?? [])]);
      return { kind: 'table', name, caption, columns, rows };
    }
  }
}
