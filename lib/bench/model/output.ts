// The formats of `bench model`.
import { csvTable } from '../../report/csv.js';
import { tablesOf } from '../../report/document.js';
import { markdownReport } from '../../report/markdown.js';
import { terminalReport } from '../../report/terminal.js';
import { modelDocument } from './document.js';
import type { ModelReport } from './schema.js';

export const FORMATS = ['text', 'md', 'csv', 'json', 'jsonl'] as const;
export type Format = (typeof FORMATS)[number];

/** JSON lines have a line a row, CSV one table of all speeds. */
export function modelOutput(report: ModelReport, format: Format): string {
  const document = modelDocument(report);
  switch (format) {
    case 'json':
      return `${JSON.stringify(report, null, 1)}\n`;
    case 'jsonl':
      return report.rows.map((row) => `${JSON.stringify({ model: report.model, ...row })}\n`).join('');
    case 'md':
      return markdownReport(document);
    case 'csv':
      return csvOf(report);
    default:
      return terminalReport(document);
  }
}

function csvOf(report: ModelReport): string {
  const tables = tablesOf(modelDocument(report)).filter(({ name }) => name.startsWith('speed-'));
  const [first] = tables;
  if (!first) return '';
  const columns = [
    { key: 'batch', label: 'batch', unit: 'count' as const },
    { key: 'threads', label: 'threads', unit: 'count' as const },
    ...first.columns,
  ];
  const rows = tables.flatMap(({ name, rows: own }) => {
    const [, batch, threads] = /^speed-b(\d+)-t(\d+)$/.exec(name) ?? [];
    return own.map((row) => [Number(batch), Number(threads), ...row]);
  });
  return csvTable({ kind: 'table', name: 'speed', caption: '', columns, rows });
}
