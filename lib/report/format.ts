// How figures are written in every format of a report: the unit once, in the column's head; a missing one as a dash.
import type { Interval } from '../statistics/shares.js';

/**
 * Unit of a column or an axis. Accuracies are percent, differences of accuracies points, parts of a whole shares, all
 * on 0–100; shares have no decimals. Magnitudes are large counts: 77.4k.
 */
export type Unit =
  | 'text'
  | 'percent'
  | 'share'
  | 'points'
  | 'bits'
  | 'count'
  | 'magnitude'
  | 'number'
  | 'seconds'
  | 'decibels'
  | 'probability';

/** A figure and, where it was estimated from samples, between which ends it lies. */
export interface Measured {
  readonly value: number;
  readonly interval?: Interval | undefined;
}

export type Cell = string | number | boolean | Measured | null | undefined;

const MISSING = '–';
/** Longer names of policies list their nodes. */
const MOST_POLICY = 20;
/** The minus sign, as wide as a plus. */
const MINUS = '−';

const SUFFIX: Readonly<Record<Unit, string>> = {
  text: '',
  percent: ' %',
  share: ' %',
  points: ' points',
  bits: ' bits',
  count: '',
  magnitude: '',
  number: '',
  seconds: ' s',
  decibels: ' dB',
  probability: '',
};

export function isMeasured(cell: Cell): cell is Measured {
  return typeof cell === 'object' && cell !== null;
}

function grouped(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** Three significant figures without an exponent, from a millionth on. */
function significant(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size < 1e-6) return value.toExponential(1);
  if (size >= 99.95) return grouped(value);
  return value.toFixed(Math.max(0, Math.min(8, 2 - Math.floor(Math.log10(size)))));
}

/** 950, 77.4k, 11.2M, 1.81G: three digits. */
function compact(value: number): string {
  const units = ['', 'k', 'M', 'G', 'T'];
  let unit = 0;
  let scaled = value;
  while (scaled >= 999.5 && unit < units.length - 1) {
    scaled /= 1000;
    unit++;
  }
  const digits = unit === 0 || scaled >= 99.95 ? 0 : scaled >= 9.995 ? 1 : 2;
  return `${scaled.toFixed(digits)}${units[unit]}`;
}

function digits(value: number, unit: Unit): string {
  switch (unit) {
    case 'percent':
    case 'points':
      return value.toFixed(2);
    case 'share':
      return value.toFixed(0);
    case 'bits':
      return Number.isInteger(value) ? String(value) : value.toFixed(2);
    case 'count':
      return grouped(value);
    case 'magnitude':
      return compact(value);
    case 'seconds':
    case 'decibels':
      return value.toFixed(1);
    case 'probability':
      return value < 1e-4 ? '< 0.0001' : value.toFixed(4);
    default:
      return significant(value);
  }
}

/** A number without its unit; a minus is a minus sign, and −0.00 is 0.00. */
export function formatNumber(value: number, unit: Unit = 'number'): string {
  if (Number.isNaN(value)) return MISSING;
  // A signal without noise.
  if (value === Number.POSITIVE_INFINITY && unit === 'decibels') return 'exact';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : `${MINUS}∞`;
  const text = digits(value, unit);
  if (!text.startsWith('-')) return text;
  return /[1-9]/.test(text) ? MINUS + text.slice(1) : text.slice(1);
}

/** A number with its unit: `91.20 %`. */
export function formatQuantity(value: number, unit: Unit): string {
  return formatNumber(value, unit) + (Number.isFinite(value) ? SUFFIX[unit] : '');
}

/** Suffix of a column's heading: ` (%)`, or none. */
export function unitLabel(unit: Unit): string {
  const text = SUFFIX[unit].trim();
  return text === '' || unit === 'bits' ? '' : ` (${text})`;
}

/** `79.70 [78.90, 80.40]` for a figure with an interval. */
export function formatCell(cell: Cell, unit: Unit = 'text'): string {
  if (cell === null || cell === undefined) return MISSING;
  if (typeof cell === 'boolean') return cell ? 'yes' : 'no';
  if (typeof cell === 'string') return cell;
  if (typeof cell === 'number') return formatNumber(cell, unit === 'text' ? 'number' : unit);
  const value = formatNumber(cell.value, unit);
  if (!cell.interval) return value;
  return `${value} [${cell.interval.map((end) => formatNumber(end, unit)).join(', ')}]`;
}

/** `1 image`, `3 images` */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${grouped(count)} ${count === 1 ? one : many}`;
}

/** Seconds as a person says them: `48 s`, `2 min 41 s`, `1 h 3 min`. */
export function formatDuration(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.round((whole % 3600) / 60)} min`;
}

/** `91.20 %` */
export const percentText = (value: number): string => formatQuantity(value, 'percent');

/** A share, 0–1, and the ends between which it lies, as percent. */
export function percentOf(share: number, [low, high]: Interval): Measured {
  return { value: 100 * share, interval: [100 * low, 100 * high] };
}

/** The name of a policy in a sentence. */
export function policyText(policy: string): string {
  return policy.length > MOST_POLICY ? 'a mixed policy' : policy;
}
