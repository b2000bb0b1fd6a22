// Two results of one command side by side: what changed in the tables of their Documents, and whether that is worse.
import { InvalidArgumentError } from '../core/errors.js';
import type { Column, Document, Table } from './document.js';
import { type Cell, formatCell, isMeasured } from './format.js';
import type { CheckedResult } from './kinds.js';

type Judgement = 'worse' | 'better' | 'changed';

/** A cell that differs. */
interface Change {
  /** Name of the table. */
  readonly table: string;
  /** What the row is about: its leading texts. */
  readonly row: string;
  /** Heading of the column. */
  readonly figure: string;
  readonly before: string;
  readonly after: string;
  /** `changed`: the column does not say which is the better one. */
  readonly judgement: Judgement;
}

/** What `diff` found. */
interface Diff {
  readonly schema: 'faultline.diff/1';
  readonly before: string;
  readonly after: string;
  /** The schema of both. */
  readonly kind: string;
  /** Cells compared. */
  readonly compared: number;
  readonly changes: readonly Change[];
  /** Rows that only one of the two has, as `table: row`. */
  readonly onlyBefore: readonly string[];
  readonly onlyAfter: readonly string[];
}

const tables = ({ sections }: Document): Table[] =>
  sections.flatMap(({ blocks }) => blocks.flatMap((block) => (block.kind === 'table' ? [block] : [])));

/** Verdicts as a separate table: their levels are ordered. */
function verdictTable({ sections }: Document): Table {
  const rows = sections.flatMap(({ title, blocks }) =>
    blocks.flatMap((block) => (block.kind === 'verdict' ? [[title, block.level]] : [])),
  );
  return {
    kind: 'table',
    name: 'verdict',
    caption: '',
    columns: [
      { key: 'section', label: 'section', unit: 'text' },
      { key: 'level', label: 'level', unit: 'text', better: ['good', 'caution', 'bad'] },
    ],
    rows,
  };
}

const nameOf = (row: readonly Cell[], naming: number) =>
  row
    .slice(0, naming)
    .map((cell) => formatCell(cell))
    .join(', ');

/** How many columns name a row: the fewest leading text columns that distinguish the rows. */
function namingColumns({ columns, rows }: Table): number {
  const figures = columns.findIndex(({ unit, better }) => unit !== 'text' || better !== undefined);
  const most = figures < 0 ? columns.length : figures;
  for (let naming = 1; naming < most; naming++) {
    if (new Set(rows.map((row) => nameOf(row, naming))).size === rows.length) return naming;
  }
  return most;
}

/** Rows by what they are about; of several alike, by their order too. */
function rowsByName({ rows }: Table, naming: number): Map<string, readonly Cell[]> {
  const seen = new Map<string, number>();
  return new Map(
    rows.map((row) => {
      const name = nameOf(row, naming);
      const times = (seen.get(name) ?? 0) + 1;
      seen.set(name, times);
      return [times === 1 ? name : `${name} (${times})`, row];
    }),
  );
}

/** The ends of a figure: of one without an interval, itself. */
function endsOf(cell: Cell): readonly [number, number] | undefined {
  if (isMeasured(cell)) return cell.interval ? [cell.interval[0], cell.interval[1]] : [cell.value, cell.value];
  return typeof cell === 'number' ? [cell, cell] : undefined;
}

const figureOf = (cell: Cell) => (isMeasured(cell) ? cell.value : cell);

/** Intervals that have a value in common may be of one figure; figures that look alike are alike. */
function differ(before: Cell, after: Cell, { unit }: Column): boolean {
  const [one, two] = [endsOf(before), endsOf(after)];
  const text = (cell: Cell) => formatCell(figureOf(cell), unit);
  if (text(before) === text(after)) return false;
  return one === undefined || two === undefined || one[1] < two[0] || two[1] < one[0];
}

function judgementOf(before: Cell, after: Cell, { better }: Column): Judgement {
  const place = (cell: Cell): number | undefined => {
    const value = figureOf(cell);
    if (better === 'higher' || better === 'lower') {
      return typeof value === 'number' ? (better === 'higher' ? value : -value) : undefined;
    }
    const at = better?.indexOf(String(value)) ?? -1;
    return at < 0 ? undefined : -at;
  };
  const [one, two] = [place(before), place(after)];
  if (one === undefined || two === undefined) return 'changed';
  return two < one ? 'worse' : 'better';
}

function compareTables(before: Table, after: Table) {
  const naming = Math.max(namingColumns(before), namingColumns(after));
  const [one, two] = [rowsByName(before, naming), rowsByName(after, naming)];
  const changes: Change[] = [];
  let compared = 0;
  for (const [row, cells] of one) {
    const others = two.get(row);
    if (!others) continue;
    for (const [at, column] of before.columns.entries()) {
      const there = after.columns.findIndex(({ key }) => key === column.key);
      if (at < naming || there < 0) continue;
      compared++;
      const [left, right] = [cells[at], others[there]];
      if (!differ(left, right, column)) continue;
      const { label: figure, unit } = column;
      const texts = { before: formatCell(left, unit), after: formatCell(right, unit) };
      changes.push({ table: before.name, row, figure, ...texts, judgement: judgementOf(left, right, column) });
    }
  }
  const only = (of: typeof one, beside: typeof one) =>
    [...of.keys()].filter((row) => !beside.has(row)).map((row) => `${before.name}: ${row}`);
  return { compared, changes, onlyBefore: only(one, two), onlyAfter: only(two, one) };
}

interface Named extends CheckedResult {
  /** Where it was read. */
  readonly path: string;
}

/** Throws InvalidArgumentError where the two are of different commands. */
export function diffResults(before: Named, after: Named): Diff {
  if (before.schema !== after.schema) {
    throw new InvalidArgumentError('diff', after.path, `${before.schema}, as ${before.path} is`, after.schema);
  }
  const all = ({ document }: CheckedResult) => [verdictTable(document), ...tables(document)];
  const [one, two] = [all(before), new Map(all(after).map((table) => [table.name, table]))];
  const nothing = (table: Table): Table => ({ ...table, rows: [] });
  const names = new Set(one.map(({ name }) => name));
  const compared = [
    ...one.map((table) => compareTables(table, two.get(table.name) ?? nothing(table))),
    ...[...two.values()].filter(({ name }) => !names.has(name)).map((table) => compareTables(nothing(table), table)),
  ];
  return {
    schema: 'faultline.diff/1',
    before: before.path,
    after: after.path,
    kind: before.schema,
    compared: compared.reduce((sum, each) => sum + each.compared, 0),
    changes: compared.flatMap(({ changes }) => changes),
    onlyBefore: compared.flatMap(({ onlyBefore }) => onlyBefore),
    onlyAfter: compared.flatMap(({ onlyAfter }) => onlyAfter),
  };
}
