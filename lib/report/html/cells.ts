// Heat maps: bits by layer, drops by corruption and severity, errors by channel.
import * as Plot from '@observablehq/plot';
import type { CellChart } from '../chart.js';
import { formatNumber } from '../format.js';
import { LETTER, leftLabels, PIXELS, type Width } from './layout.js';
import { HEAT_SHADES } from './style.js';

/** Cells narrower than this have no room for their figures. */
const TEXT_CELL = 26;
const MOST_CELL = 56;
/** Shades of heat above this one need the other colour of text. */
const STRONG_HEAT = 5;
/** And narrower than this not even for their names, turned. Numbers need no room: some of them are shown. */
const UPRIGHT_CELL = 34;
const NUMBERED_CELL = 8;
/** More rows would be a tower. */
const MOST_UPRIGHT = 80;

/** Turns charts that are too wide: rows become columns. */
function upright(chart: CellChart, width: number): CellChart {
  const { marginLeft } = leftLabels(chart.rows, width);
  const room = (width - marginLeft - 16) / chart.columns.length;
  const least = chart.columns.every((label) => /^\d+$/.test(label)) ? NUMBERED_CELL : UPRIGHT_CELL;
  const fits = room >= least || Math.max(...chart.columns.map((label) => label.length)) * LETTER <= room;
  if (fits || chart.columns.length <= chart.rows.length || chart.columns.length > MOST_UPRIGHT) return chart;
  return {
    ...chart,
    columnsLabel: chart.rowsLabel,
    rowsLabel: chart.columnsLabel,
    columns: chart.rows,
    rows: chart.columns,
    values: chart.columns.map((_, column) => chart.rows.map((_, row) => chart.values[row]?.[column] ?? null)),
  };
}

export function cells(wide: CellChart, size: Width): Plot.PlotOptions {
  const chart = upright(wide, PIXELS[size]);
  const { marginLeft, short } = leftLabels(chart.rows, PIXELS[size]);
  const count = chart.columns.length;
  const cellWidth = Math.min(MOST_CELL, (PIXELS[size] - marginLeft - 16) / count);
  const cellHeight = Math.min(30, Math.max(18, cellWidth));
  const flat = chart.rows.flatMap((_, row) =>
    chart.columns.map((_, column) => ({ row, column, value: chart.values[row]?.[column] ?? null })),
  );
  type Cell = (typeof flat)[number];
  const [low, high] = chart.domain ?? [0, Math.max(1e-12, ...flat.map(({ value }) => value ?? 0))];
  const shade = (value: number) => {
    if (chart.shades === 'bits') return Math.min(8, Math.max(2, Math.round(value)));
    const share = (value - low) / (high - low);
    return Math.min(HEAT_SHADES - 1, Math.max(0, Math.round(share * (HEAT_SHADES - 1))));
  };
  const strong = (value: number) =>
    chart.shades === 'bits' ? [2, 3, 7, 8].includes(shade(value)) : shade(value) > STRONG_HEAT;
  const known = flat.filter(({ value }) => value !== null);
  const labelled = cellWidth >= TEXT_CELL;
  const figured = known.every(({ value }) => cellText(value as number, chart).length * LETTER <= cellWidth);
  const longest = Math.max(...chart.columns.map((label) => label.length)) * LETTER;
  const turned = longest > cellWidth - 4;
  const ticks = labelled ? undefined : chart.columns.map((_, i) => i).filter((i) => i % Math.ceil(count / 8) === 0);
  const marginBottom = labelled && turned ? Math.min(120, longest * 0.75 + 12) : 42;
  return {
    height: chart.rows.length * cellHeight + marginBottom + 6,
    marginLeft,
    marginRight: PIXELS[size] - marginLeft - cellWidth * count,
    marginTop: 6,
    marginBottom,
    x: {
      type: 'band',
      // Names need no axis label; numbers do.
      label: labelled && turned ? null : chart.columnsLabel,
      labelArrow: 'none',
      labelAnchor: 'left',
      tickSize: 0,
      tickFormat: (i: number) => chart.columns[i] ?? '',
      padding: count > 30 ? 0 : 0.06,
      ...(labelled && turned ? { tickRotate: -40 } : {}),
      ...(ticks ? { ticks } : {}),
    },
    y: { type: 'band', label: null, tickSize: 0, tickFormat: (i: number) => short(chart.rows[i] ?? ''), padding: 0.06 },
    marks: [
      Plot.cell(known, {
        x: 'column',
        y: 'row',
        rx: count > 30 ? 0 : 3,
        fill: ({ value }: Cell) => `var(--${chart.shades}${shade(value as number)})`,
      }),
      ...(figured
        ? [
            Plot.text(known, {
              x: 'column',
              y: 'row',
              fontSize: 11,
              text: ({ value }: Cell) => cellText(value as number, chart),
              fill: ({ value }: Cell) => (strong(value as number) ? `var(--on-${chart.shades})` : 'var(--on-pale)'),
            }),
          ]
        : []),
    ],
  };
}

function cellText(value: number, { unit }: CellChart): string {
  if (unit === 'points' || unit === 'percent') return formatNumber(value, 'decibels');
  // One decimal, and none where it is zero: a mean of 7.98 bits shows 8.
  return unit === 'bits' ? formatNumber(value, 'decibels').replace(/\.0$/, '') : formatNumber(value, unit);
}
