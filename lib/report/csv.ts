// The tables of a report as CSV (RFC 4180), for spreadsheets: plain numbers, intervals in separate columns.
import { stringify } from 'csv-stringify/sync';
import { plainTexts } from '../core/text.js';
import { type Document, type Table, tablesOf } from './document.js';
import { type Cell, isMeasured } from './format.js';
import { fileNames } from './names.js';

type Field = string | number | null;

function csvField(cell: Cell): Field {
  if (cell === null || cell === undefined || Number.isNaN(cell)) return null;
  if (isMeasured(cell)) return csvField(cell.value);
  return typeof cell === 'boolean' ? String(cell) : cell;
}

/** A header, then a line a row; a column with intervals is followed by `<key>_low` and `<key>_high`. */
export function csvTable(table: Table): string {
  const { columns, rows } = plainTexts(table);
  const ranged = columns.map((_, at) => rows.some((row) => isMeasured(row[at]) && row[at].interval !== undefined));
  const header = columns.flatMap(({ key }, at) => (ranged[at] ? [key, `${key}_low`, `${key}_high`] : [key]));
  const lines = rows.map((row) =>
    columns.flatMap((_, at) => {
      const cell = row[at];
      if (!ranged[at]) return [csvField(cell)];
      const [low, high] = (isMeasured(cell) ? cell.interval : undefined) ?? [];
      return [cell, low, high].map(csvField);
    }),
  );
  // A spreadsheet runs a text that begins with = + - @ as a formula; an apostrophe before it makes it text again. Where
  // commas are decimal, it divides lines at semicolons and tabs that are not quoted.
  return stringify([header, ...lines], { record_delimiter: 'windows', escape_formulas: true, quoted_match: /[;\s]/ });
}

/** File name → content, a file for each table of the report. */
export function csvFiles(document: Document): Map<string, string> {
  const names = fileNames(document);
  return new Map(tablesOf(document).map((table) => [names.get(table.name) as string, csvTable(table)]));
}
