// A report before it has a format: sections of text, tables, charts and pictures. HTML, Markdown, CSV and the terminal
// are each one function of a Document, so a command that builds one has all four.
import { type ChartData, chartTable } from './chart.js';
import type { Cell, Unit } from './format.js';

export interface Column {
  /** Name in CSV files. */
  readonly key: string;
  readonly label: string;
  readonly unit: Unit;
  /** The heading in 80 columns, without its unit. Default: `label`. */
  readonly short?: string | undefined;
  /** false: not on the terminal. Default true. */
  readonly brief?: boolean | undefined;
  /** Which figure is the better one, for `diff`; of words, all of them, the best first. Default: neither. */
  readonly better?: 'higher' | 'lower' | readonly string[] | undefined;
}

/** What is not as usual of a column. */
type ColumnOptions = Omit<Partial<Column>, 'key' | 'label' | 'unit'>;

export function column(key: string, label: string, unit: Unit, more: ColumnOptions = {}): Column {
  return { key, label, unit, ...more };
}

export interface Table {
  readonly kind: 'table';
  /** Of the CSV file: `pairs`. Unique in a document. */
  readonly name: string;
  readonly caption: string;
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly Cell[])[];
  /** Shown on the terminal too. Default false. */
  readonly brief?: boolean | undefined;
  /** Rows on the terminal: the first. Default 60. */
  readonly briefRows?: number | undefined;
  /** Folded up in HTML: long. Default false. */
  readonly folded?: boolean | undefined;
}

export interface Chart {
  readonly kind: 'chart';
  /** As a table's. */
  readonly name: string;
  readonly caption: string;
  /** Description of the picture, for readers who cannot see it. */
  readonly alt: string;
  readonly data: ChartData;
  /** Shown on the terminal too: bars and histograms as bars, others as their table. Default false. */
  readonly brief?: boolean | undefined;
}

interface Picture {
  /** A data URL. */
  readonly source: string;
  readonly alt: string;
  readonly caption: string;
}

export interface Pictures {
  readonly kind: 'pictures';
  readonly caption: string;
  readonly pictures: readonly Picture[];
}

interface Paragraph {
  readonly kind: 'text';
  readonly text: string;
  /** Shown on the terminal too. Default false. */
  readonly brief?: boolean | undefined;
}

interface List {
  readonly kind: 'list';
  readonly items: readonly string[];
  /** Shown on the terminal too. Default false. */
  readonly brief?: boolean | undefined;
}

/** A judgement, with its colour and its word. */
interface Verdict {
  readonly kind: 'verdict';
  readonly level: 'good' | 'caution' | 'bad';
  readonly word: string;
  readonly text: string;
}

export type Block = Table | Chart | Pictures | Paragraph | List | Verdict;

export interface Section {
  /** An anchor: lower case, hyphens. */
  readonly id: string;
  readonly title: string;
  readonly blocks: readonly Block[];
}

/** A figure of the summary. */
export interface Fact {
  readonly label: string;
  readonly value: string;
  /** After the value, smaller. */
  readonly unit?: string | undefined;
  readonly note: string;
  /** false: not on the terminal. Default true. */
  readonly brief?: boolean | undefined;
  readonly tone?: 'good' | 'bad' | 'plain' | undefined;
}

/** A report before it is HTML, Markdown, CSV or text. */
export interface Document {
  readonly title: string;
  /** What was found, in a sentence or two. */
  readonly lead: string;
  readonly facts: readonly Fact[];
  readonly sections: readonly Section[];
  /** Who made this, when. */
  readonly footer: string;
}

/** A column, with what it takes from a row. */
export type Field<Row> = readonly [
  key: string,
  label: string,
  unit: Unit,
  cell: (row: Row, at: number) => Cell,
  more?: ColumnOptions,
];

/** A table with a line for each of `rows`. */
export function table<Row>(
  about: Omit<Table, 'kind' | 'columns' | 'rows'>,
  rows: readonly Row[],
  fields: readonly Field<NoInfer<Row>>[],
): Table {
  return {
    ...{ kind: 'table', ...about },
    columns: fields.map(([key, label, unit, , more]) => column(key, label, unit, more)),
    rows: rows.map((row, at) => fields.map(([, , , cell]) => cell(row, at))),
  };
}

/** The fields that at least one of `rows` fills. */
export function filled<Row>(rows: readonly Row[], fields: readonly Field<NoInfer<Row>>[]): Field<Row>[] {
  return fields.filter(([, , , cell]) => rows.some((row, at) => cell(row, at) !== undefined));
}

export function chart(about: Omit<Chart, 'kind' | 'data'>, data: ChartData): Chart {
  return { kind: 'chart', ...about, data };
}

/** A paragraph; `brief`: on the terminal too. */
export function paragraph(text: string, brief = false): Paragraph {
  return { kind: 'text', text, brief };
}

/** As `paragraph`; none of nothing. */
export function bullets(items: readonly string[], brief = false): List[] {
  return items.length === 0 ? [] : [{ kind: 'list', items, brief }];
}

/** A section, unless it has nothing to show. */
export function section(id: string, title: string, blocks: readonly Block[]): Section[] {
  return blocks.length === 0 ? [] : [{ id, title, blocks }];
}

/** All tables of a document in order, those of its charts among them. */
export function tablesOf(document: Document): Table[] {
  return document.sections.flatMap(({ blocks }) =>
    blocks.flatMap((block) => {
      if (block.kind === 'table') return [block];
      return block.kind === 'chart' ? [tableOf(block)] : [];
    }),
  );
}

/** The figures behind a chart. */
export function tableOf({ name, caption, data }: Chart): Table {
  return chartTable(name, caption, data);
}
