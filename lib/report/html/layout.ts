// What every chart shares: widths, room for labels, axes, colours.
import type * as Plot from '@observablehq/plot';
import type { Axis } from '../chart.js';
import { formatNumber, unitLabel } from '../format.js';
import { SERIES_COLOURS } from './style.js';

/** Drawn for a page and for a phone: text keeps its size, the drawing adapts. */
export type Width = 'wide' | 'narrow';
export const PIXELS: Readonly<Record<Width, number>> = { wide: 860, narrow: 360 };
export const FONT_SIZE = 12;
/** Of an average letter at that size. */
export const LETTER = 6.4;
/** Labels at the left may take this share of the width. */
const MOST_LABEL = 0.42;

export const GRID = 'var(--line)';
export const SOFT = 'var(--soft)';
export const INK = 'var(--ink)';

export const seriesColour = (index: number) => `var(--series${index % SERIES_COLOURS})`;

/** Room for labels at the left, and the labels cut to it. */
export function leftLabels(
  labels: readonly string[],
  width: number,
): { marginLeft: number; short: (label: string) => string } {
  const most = Math.floor((width * MOST_LABEL) / LETTER);
  const longest = Math.min(most, Math.max(4, ...labels.map((label) => label.length)));
  // Node names differ at their end, so their middle is cut.
  const short = (label: string) => {
    if (label.length <= most) return label;
    const head = Math.ceil((most - 1) / 3);
    return `${label.slice(0, head)}…${label.slice(label.length - (most - 1 - head))}`;
  };
  return { marginLeft: Math.ceil(longest * LETTER) + 14, short };
}

const axisLabel = ({ label, unit }: Axis) => `${label}${unitLabel(unit)}`;

function tickText({ unit }: Axis): (value: number) => string {
  return (value) =>
    formatNumber(value, unit)
      .replace(/(\.\d*?)0+$/, '$1')
      .replace(/\.$/, '');
}

export function xScale(axis: Axis, width: Width): Plot.ScaleOptions {
  return {
    label: axisLabel(axis),
    labelArrow: 'none',
    labelAnchor: 'right',
    tickFormat: tickText(axis) as Plot.ScaleOptions['tickFormat'],
    ...(axis.domain ? { domain: [...axis.domain] } : {}),
    ...(axis.log ? { type: 'log' as const } : {}),
    tickSpacing: width === 'wide' ? 90 : 60,
  } as Plot.ScaleOptions;
}
