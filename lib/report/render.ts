// A checked result in one of the formats of a report.
import { toJson } from '../run/files.js';
import { csvFiles } from './csv.js';
import type { CheckedResult } from './kinds.js';
import { markdownReport } from './markdown.js';
import { terminalReport } from './terminal.js';

export const FORMATS = ['terminal', 'html', 'markdown', 'csv', 'json'] as const;
type Format = (typeof FORMATS)[number];

/** The files of a result that are one format each. */
export const FILE_FORMATS = { 'report.json': 'json', 'report.html': 'html', 'report.md': 'markdown' } as const;

/** CSV: each table after its name, with an empty line between two. */
export async function render(format: Format, { result, document }: CheckedResult): Promise<string> {
  switch (format) {
    case 'terminal':
      return terminalReport(document);
    case 'html':
      // Plot takes a third of a second to load, so it is loaded for charts only.
      return (await import('./html/page.js')).htmlReport(document);
    case 'markdown':
      return markdownReport(document);
    case 'csv':
      return [...csvFiles(document)].map(([name, content]) => `${name}\r\n${content}`).join('\r\n');
    case 'json':
      return toJson(result);
  }
}
