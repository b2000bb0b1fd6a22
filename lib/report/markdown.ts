// A report as Markdown (GitHub's flavour): charts become their tables, pictures their captions.
import { markdownTable as pipeTable } from 'markdown-table';
import { plain } from '../core/text.js';
import { type Block, type Document, type Table, tableOf } from './document.js';
import { formatCell, plural, unitLabel } from './format.js';
import { fileNames } from './names.js';

/** Text as text: nothing in it is markup or a link, and it stays on its line. */
export function escapeMarkdown(text: string): string {
  return plain(text.trim().replace(/\s*[\r\n]+\s*/g, ' '))
    .replace(/[\\`*_[\]<>|~#&@$]/g, '\\$&')
    .replace(/:(?=\/\/)|(?<=\bwww)\./gi, '\\$&')
    .replace(/^[-+=](?=[-+=\s]|$)/, '\\$&')
    .replace(/^\d+(?=[.)](?:\s|$))/, '$&\\');
}

/** A pipe table: text to the left, figures to the right. */
export function markdownTable({ columns, rows }: Pick<Table, 'columns' | 'rows'>): string {
  const head = columns.map(({ label, unit }) => label + unitLabel(unit));
  const cells = rows.map((row) => columns.map(({ unit }, at) => formatCell(row[at], unit)));
  const align = columns.map(({ unit }) => (unit === 'text' ? 'l' : 'r'));
  return pipeTable(
    [head, ...cells].map((line) => line.map(escapeMarkdown)),
    { align, alignDelimiters: false },
  );
}

/** More rows are in the CSV files and in the JSON. */
const MOST_ROWS = 60;

function tableBlock(table: Table, files: ReadonlyMap<string, string>): string {
  const shown = { ...table, rows: table.rows.slice(0, MOST_ROWS) };
  const left = table.rows.length - shown.rows.length;
  const parts = [`*${escapeMarkdown(table.caption)}*`, markdownTable(shown)];
  if (left > 0)
    parts.push(`… and ${plural(left, 'row')} more in ${escapeMarkdown(files.get(table.name) ?? table.name)}`);
  return parts.join('\n\n');
}

function blockText(block: Block, files: ReadonlyMap<string, string>): string {
  switch (block.kind) {
    case 'text':
      return escapeMarkdown(block.text);
    case 'list':
      return block.items.map((item) => `- ${escapeMarkdown(item)}`).join('\n');
    case 'verdict':
      return `**${escapeMarkdown(block.word)}**: ${escapeMarkdown(block.text)}`;
    case 'table':
      return tableBlock(block, files);
    case 'chart':
      return tableBlock(tableOf(block), files);
    case 'pictures':
      return [escapeMarkdown(block.caption), ...block.pictures.map(({ alt }) => `- ${escapeMarkdown(alt)}`)].join('\n');
  }
}

export function markdownReport(document: Document): string {
  const files = fileNames(document);
  const parts = [`# ${escapeMarkdown(document.title)}`, escapeMarkdown(document.lead)];
  if (document.facts.length > 0) {
    parts.push(
      document.facts
        .map(
          ({ label, value, unit = '', note }) =>
            `- ${escapeMarkdown(label)}: **${escapeMarkdown(`${value} ${unit}`.trim())}** ${escapeMarkdown(note)}`,
        )
        .join('\n'),
    );
  }
  for (const { title, blocks } of document.sections) {
    parts.push(`## ${escapeMarkdown(title)}`, ...blocks.map((block) => blockText(block, files)));
  }
  parts.push(escapeMarkdown(document.footer));
  return `${parts.join('\n\n')}\n`;
}
