// A Document on a terminal of 80 columns: its facts and its brief blocks.

import { plainTexts } from '../core/text.js';
import { type Block, type Chart, type Column, type Document, type Fact, type Table, tableOf } from './document.js';
import { formatCell, formatNumber, formatQuantity, isMeasured, type Measured, type Unit, unitLabel } from './format.js';
import { cut, pad, WIDTH, widthOf, wrapText } from './text.js';

const GAP = 2;
/** Of a text column that has to give way. */
const LEAST_TEXT = 8;
/** Longer words, which are names, are cut before sentences are broken. */
const LONG_WORD = 24;
/** Rows of a table; the other formats have all. */
const MOST_ROWS = 60;

/** A text in lines of at most `width`, broken between words; a longer word is a line. */
function wordLines(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const longer = lines.length > 0 ? `${lines.at(-1)} ${word}` : word;
    if (lines.length > 0 && widthOf(longer) <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/** The columns for a terminal and the rows of their cells. */
function briefColumns({ columns, rows }: Pick<Table, 'columns' | 'rows'>): Pick<Table, 'columns' | 'rows'> {
  const shown = columns.flatMap((column, at) => (column.brief === false ? [] : [{ column, at }]));
  return { columns: shown.map(({ column }) => column), rows: rows.map((row) => shown.map(({ at }) => row[at])) };
}

const headOf = ({ label, short, unit }: Column) => short ?? label + unitLabel(unit);

/** A star for a difference whose interval excludes 0, a space for others. */
function withoutInterval({ value, interval }: Measured, unit: Unit): string {
  if (unit !== 'points' || !interval) return formatNumber(value, unit);
  const [low, high] = interval;
  return `${formatNumber(value, unit)}${low > 0 || high < 0 ? '*' : ' '}`;
}

/**
 * A table in at most 80 columns: intervals are dropped first, then units, then headings wrap, then
 * the widest texts, then the last columns go.
 */
export function terminalTable(table: Pick<Table, 'columns' | 'rows'>): string[] {
  const { columns, rows } = briefColumns(table);
  const cellText = (intervals: boolean) =>
    rows.map((row) =>
      columns.map(({ unit }, at) => {
        const cell = row[at];
        return !intervals && isMeasured(cell) ? withoutInterval(cell, unit) : formatCell(cell, unit);
      }),
    );
  let head = columns.map(headOf);
  const widest = (texts: readonly string[]) => Math.max(0, ...texts.map(widthOf));
  const cellsOf = (at: number) => widest(lines.map((line) => line[at] as string));
  const widthsOf = () => head.map((text, at) => Math.max(widthOf(text), cellsOf(at)));
  const total = (widths: readonly number[]) => widths.reduce((sum, width) => sum + width + GAP, -GAP);
  let lines = cellText(true);
  if (total(widthsOf()) > WIDTH) lines = cellText(false);
  if (total(widthsOf()) > WIDTH) head = columns.map(({ label, short }) => short ?? label);
  const widths = widthsOf();
  const broken = head.map((text, at) => Math.max(cellsOf(at), widest(text.split(' '))));
  const isText = (at: number) => columns[at]?.unit === 'text';
  const wordsOf = (at: number) => widest([head, ...lines].flatMap((line) => (line[at] as string).split(' ')));
  const words = broken.map((width, at) =>
    isText(at) ? Math.max(LEAST_TEXT, Math.min(LONG_WORD, wordsOf(at))) : width,
  );
  /** The widest column that is wider than its least width. */
  const giving = (least: (at: number) => number) =>
    widths.reduce((best, width, at) => (width > least(at) && width > (widths[best] ?? 0) ? at : best), -1);
  while (total(widths) > WIDTH) {
    let at = giving((column) => broken[column] as number);
    if (at < 0) at = giving((column) => words[column] as number);
    if (at < 0) at = giving((column) => (isText(column) ? LEAST_TEXT : Number.POSITIVE_INFINITY));
    if (at < 0) widths.pop();
    else widths[at] = (widths[at] as number) - 1;
  }
  const headings = widths.map((width, at) => wordLines(head[at] as string, width));
  const height = Math.max(0, ...headings.map((each) => each.length));
  // Each heading ends in the line above the cells.
  const above = Array.from({ length: height }, (_, line) =>
    headings.map((each) => each[line - height + each.length] ?? ''),
  );
  const shown = (line: readonly string[]) =>
    widths
      .map((width, at) => pad(cut(line[at] ?? '', width), width, columns[at]?.unit !== 'text'))
      .join(' '.repeat(GAP))
      .trimEnd();
  return [...above.map(shown), ...lines.flatMap((line) => wrappedRow(line, widths).map(shown))];
}

/** Lines that a sentence in a cell may take; a longer one, or a name, is cut in its middle. */
const MOST_LINES = 5;

/** A row over as many lines as its longest sentence takes. */
function wrappedRow(row: readonly string[], widths: readonly number[]): string[][] {
  const cells = widths.map((width, at) => {
    const text = row[at] as string;
    const broken = wordLines(text, width);
    return broken.length <= MOST_LINES && broken.every((part) => widthOf(part) <= width) ? broken : [text];
  });
  const height = Math.max(1, ...cells.map(({ length }) => length));
  return Array.from({ length: height }, (_, line) => cells.map((cell) => cell[line] ?? ''));
}

function tableLines({ columns, rows, briefRows = MOST_ROWS }: Table): string[] {
  const lines = terminalTable({ columns, rows: rows.slice(0, briefRows) });
  const left = rows.length - briefRows;
  return left > 0 ? [...lines, `… and ${formatNumber(left, 'count')} more`] : lines;
}

/** Lengths from nothing to the largest, as bars beside their labels. */
function barLines(bars: readonly { readonly label: string; readonly value: number; readonly text: string }[]) {
  const labels = Math.min(32, Math.max(0, ...bars.map(({ label }) => widthOf(label))));
  const texts = Math.max(0, ...bars.map(({ text }) => widthOf(text)));
  const room = WIDTH - labels - texts - 2 * GAP;
  const most = Math.max(0, ...bars.map(({ value }) => value));
  const lengthOf = (value: number) => (value > 0 ? Math.max(1, Math.round((room * value) / most)) : 0);
  const gap = ' '.repeat(GAP);
  return bars.map(({ label, value, text }) =>
    [pad(cut(label, labels), labels), pad(text, texts, true), '█'.repeat(lengthOf(value))].join(gap).trimEnd(),
  );
}

function chartLines(chart: Chart): string[] {
  const { data, caption } = chart;
  const lines = () => {
    switch (data.type) {
      case 'bars':
        return barLines(
          data.bars.map(({ label, value }) => ({ label, value, text: formatQuantity(value, data.x.unit) })),
        );
      case 'histogram':
        return barLines(
          data.bins.map(({ from, to, count }) => ({
            label: `${formatNumber(from, data.x.unit)} … ${formatNumber(to, data.x.unit)}`,
            value: count,
            text: formatNumber(count, data.y.unit),
          })),
        );
      default:
        return tableLines(tableOf(chart));
    }
  };
  return [...wrapText(caption), ...lines()];
}

/** The lines of a block, none where it is not for a terminal; `captioned`: a table says what it is. */
function blockLines(block: Block, captioned: boolean): string[] {
  if (block.kind === 'verdict' || block.kind === 'pictures' || !block.brief) return [];
  switch (block.kind) {
    case 'text':
      return wrapText(block.text);
    case 'list':
      return block.items.flatMap((item) => wrapText(`- ${item}`, '  '));
    case 'table':
      return [...(captioned ? wrapText(block.caption) : []), ...tableLines(block)];
    case 'chart':
      return chartLines(block);
  }
}

/** What was found, in a sentence: the verdict where there is one. */
function leadOf({ lead, sections }: Document): string {
  for (const { blocks } of sections) {
    for (const block of blocks) if (block.kind === 'verdict') return `${block.word.toUpperCase()}: ${block.text}`;
  }
  return lead;
}

function factLines(facts: readonly Fact[]): string[] {
  const width = Math.max(...facts.map(({ label }) => widthOf(label)));
  const indent = ' '.repeat(width + GAP);
  return facts.flatMap(({ label, value, unit = '', note }) =>
    wrapText(`${pad(label, width)}  ${`${value} ${unit}`.trim()}${note === '' ? '' : `  ${note}`}`, indent),
  );
}

export function terminalReport(given: Document): string {
  const document = plainTexts(given);
  const { title, sections, footer } = document;
  const [lead, facts] = [leadOf(document), document.facts.filter(({ brief }) => brief !== false)];
  const parts = [wrapText(title), ...(lead === '' ? [] : [wrapText(lead)])];
  if (facts.length > 0) parts.push(factLines(facts));
  for (const section of sections) {
    const tables = section.blocks.filter((block) => block.kind === 'table' && block.brief);
    const shown = section.blocks.map((block) => blockLines(block, tables.length > 1));
    const [first, ...others] = shown.filter((lines) => lines.length > 0);
    if (first) parts.push([section.title, ...first], ...others);
  }
  if (footer !== '') parts.push(wrapText(footer));
  return `${parts.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}
