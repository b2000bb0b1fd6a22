// The short form of a report: its facts and its brief tables, 80 columns wide.
import type { Document, Table } from './document.js';
import { formatCell, formatNumber, isMeasured, unitLabel } from './format.js';

const WIDTH = 80;
const GAP = 2;
/** Of a text column that has to give way. */
const LEAST_TEXT = 8;

/** What could move the cursor or recolour the screen. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069]/g;
/** Two columns wide: East Asian scripts, emoji. */
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{1f300}-\u{1faff}]|[\u{20000}-\u{3fffd}]/u;
const COMBINING = /\p{Mark}/u;

export function plain(text: string): string {
  return text.replace(CONTROL, '\ufffd');
}

function widthOf(text: string): number {
  let width = 0;
  for (const character of text) width += COMBINING.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
  return width;
}

function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let [kept, used] = ['', 0];
  for (const character of text) {
    used += widthOf(character);
    if (used > width - 1) break;
    kept += character;
  }
  return `${kept}…`;
}

/** Lines of at most 80 columns; a word longer than a line is cut. */
export function wrapText(text: string, indent = ''): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of plain(text).split(' ')) {
    const longer = line === '' ? (lines.length > 0 ? indent + word : word) : `${line} ${word}`;
    if (line !== '' && widthOf(longer) > WIDTH) {
      lines.push(line);
      line = indent + word;
    } else {
      line = longer;
    }
  }
  return [...lines, line].map((one) => cut(one, WIDTH));
}

const pad = (text: string, width: number, right: boolean) => {
  const space = ' '.repeat(Math.max(0, width - widthOf(text)));
  return right ? space + text : text + space;
};

/** A heading in lines of at most `width`, broken between words. */
function headingLines(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const longer = lines.length > 0 ? `${lines.at(-1)} ${word}` : word;
    if (lines.length > 0 && widthOf(longer) <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/**
 * A table in at most 80 columns: intervals give way first, then units, then headings, which go on in another line, then
 * the widest texts, then the last columns.
 */
export function terminalTable(table: Pick<Table, 'columns' | 'rows'>): string[] {
  const cellText = (intervals: boolean) =>
    table.rows.map((row) =>
      table.columns.map(({ unit }, at) => {
        const cell = row[at];
        return plain(!intervals && isMeasured(cell) ? formatNumber(cell.value, unit) : formatCell(cell, unit));
      }),
    );
  let head = table.columns.map(({ label, unit }) => plain(label + unitLabel(unit)));
  const widest = (texts: readonly string[]) => Math.max(0, ...texts.map(widthOf));
  const cellsOf = (at: number) => widest(lines.map((line) => line[at] as string));
  const widthsOf = () => head.map((text, at) => Math.max(widthOf(text), cellsOf(at)));
  const total = (widths: readonly number[]) => widths.reduce((sum, width) => sum + width + GAP, -GAP);
  let lines = cellText(true);
  if (total(widthsOf()) > WIDTH) lines = cellText(false);
  if (total(widthsOf()) > WIDTH) head = table.columns.map(({ label }) => plain(label));
  const widths = widthsOf();
  const broken = head.map((text, at) => Math.max(cellsOf(at), widest(text.split(' '))));
  /** The widest column that is wider than its least width. */
  const giving = (least: (at: number) => number) =>
    widths.reduce((best, width, at) => (width > least(at) && width > (widths[best] ?? 0) ? at : best), -1);
  while (total(widths) > WIDTH) {
    let at = giving((column) => broken[column] as number);
    if (at < 0)
      at = giving((column) => (table.columns[column]?.unit === 'text' ? LEAST_TEXT : Number.POSITIVE_INFINITY));
    if (at < 0) widths.pop();
    else widths[at] = (widths[at] as number) - 1;
  }
  const headings = widths.map((width, at) => headingLines(head[at] as string, width));
  const height = Math.max(0, ...headings.map((each) => each.length));
  // Each heading ends in the line above the cells.
  const above = Array.from({ length: height }, (_, line) =>
    headings.map((each) => each[line - height + each.length] ?? ''),
  );
  const right = table.columns.map(({ unit }) => unit !== 'text');
  return [...above, ...lines].map((line) =>
    widths
      .map((width, at) => pad(cut(line[at] as string, width), width, right[at] as boolean))
      .join(' '.repeat(GAP))
      .trimEnd(),
  );
}

export function terminalReport(document: Document): string {
  const lines = [...wrapText(document.title), '', ...wrapText(document.lead)];
  if (document.facts.length > 0) {
    lines.push('');
    const width = Math.max(...document.facts.map(({ label }) => widthOf(plain(label))));
    const indent = ' '.repeat(width + GAP);
    for (const { label, value, unit = '', note } of document.facts) {
      lines.push(...wrapText(`${pad(plain(label), width, false)}  ${`${value} ${unit}`.trim()}  ${note}`, indent));
    }
  }
  for (const { title, blocks } of document.sections) {
    const brief = blocks.flatMap((block): string[][] => {
      if (block.kind === 'verdict') return [wrapText(`${block.word}: ${block.text}`)];
      if (block.kind === 'text' && block.brief) return [wrapText(block.text)];
      return block.kind === 'table' && block.brief ? [terminalTable(block)] : [];
    });
    if (brief.length === 0) continue;
    lines.push('', plain(title), ...brief.flatMap((part, index) => (index > 0 ? ['', ...part] : part)));
  }
  return `${[...lines, '', ...wrapText(document.footer)].join('\n')}\n`;
}
