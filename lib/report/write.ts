// The files of a report in a folder: report.json, and made from it report.html, report.md and tables/*.csv.
import { join } from 'node:path';
import { InvalidArgumentError } from '../core/errors.js';
import { toJson, writeWhole } from '../run/files.js';
import { buildDocument } from './build.js';
import { csvFiles } from './csv.js';
import type { Document } from './document.js';
import type { CheckedResult } from './kinds.js';
import { markdownReport } from './markdown.js';
import { type Report, type ReportInput, reportSchema } from './schema.js';

/** Checks a report; throws InvalidArgumentError naming the first field that is wrong. */
export function parseReport(json: unknown): Report {
  const result = reportSchema.safeParse(json);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const where = issue?.path.join('.') || 'report';
  throw new InvalidArgumentError(
    'parseReport',
    where,
    'what faultline.report/1 says',
    issue?.message ?? 'something else',
  );
}

/** report.html, report.md and tables/*.csv of a document. */
export async function writeDocument(folder: string, document: Document): Promise<void> {
  // Plot takes a third of a second to load: only who draws waits for it.
  const { htmlReport } = await import('./html/page.js');
  await writeWhole(join(folder, 'report.html'), htmlReport(document));
  await writeWhole(join(folder, 'report.md'), markdownReport(document));
  for (const [name, content] of csvFiles(document)) await writeWhole(join(folder, 'tables', name), content);
}

/** report.json, report.html, report.md and tables/*.csv of a command's result. */
export async function writeResult(folder: string, { result, document }: CheckedResult): Promise<void> {
  await writeWhole(join(folder, 'report.json'), toJson(result));
  await writeDocument(folder, document);
}

/** Checks a report and writes all of its files. Throws InvalidArgumentError before anything is written. */
export async function writeReport(folder: string, report: ReportInput): Promise<Report> {
  const checked = parseReport(report);
  await writeWhole(join(folder, 'report.json'), toJson(checked));
  await writeDocument(folder, buildDocument(checked));
  return checked;
}
