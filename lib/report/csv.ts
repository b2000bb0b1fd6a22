// The tables of a report as CSV (RFC 4180), for spreadsheets: plain numbers, intervals in columns of their own.
import { type Document, type Table, tablesOf } from './document.js';
import { type Cell, isMeasured } from './format.js';

/** A spreadsheet runs a text that begins so as a formula; an apostrophe before it makes it text again. */
const FORMULA = /^[=+\-@\t\r]/;

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function csvCell(cell: Cell): string {
  if (cell === null || cell === undefined || Number.isNaN(cell)) return '';
  if (isMeasured(cell)) return csvCell(cell.value);
  return typeof cell === 'string' ? quoted(FORMULA.test(cell) ? `'${cell}` : cell) : String(cell);
}

/** A header, then a line a row; a column with intervals is followed by `<key>_low` and `<key>_high`. */
export function csvTable({ columns, rows }: Table): string {
  const ranged = columns.map((_, at) => rows.some((row) => isMeasured(row[at]) && row[at].interval !== undefined));
  const header = columns.flatMap(({ key }, at) => (ranged[at] ? [key, `${key}_low`, `${key}_high`] : [key]));
  const lines = rows.map((row) =>
    columns.flatMap((_, at) => {
      const cell = row[at];
      if (!ranged[at]) return [csvCell(cell)];
      const [low, high] = (isMeasured(cell) ? cell.interval : undefined) ?? [];
      return [cell, low, high].map(csvCell);
    }),
  );
  return [header.map(csvCell), ...lines].map((cells) => `${cells.join(',')}\r\n`).join('');
}

/** File name → content, a file for each table of the report. */
export function csvFiles(document: Document): Map<string, string> {
  return new Map(tablesOf(document).map((table) => [`${table.name}.csv`, csvTable(table)]));
}
