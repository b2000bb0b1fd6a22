// The files of a report in a folder: report.json, and made from it report.html, report.md and tables/*.csv.
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InvalidArgumentError } from '../core/errors.js';
import { buildDocument } from './build.js';
import { csvFiles } from './csv.js';
import type { Document } from './document.js';
import { markdownReport } from './markdown.js';
import { type Report, type ReportInput, reportSchema } from './schema.js';

/** A reader never finds half a file. */
async function writeWhole(path: string, content: string): Promise<void> {
  await writeFile(`${path}.unfinished`, content);
  await rename(`${path}.unfinished`, path);
}

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

/** Reads report.json back. Throws InvalidArgumentError on what is no report. */
export async function readReport(path: string): Promise<Report> {
  const text = await readFile(path, 'utf8');
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new InvalidArgumentError('readReport', path, 'JSON', (error as Error).message);
  }
  return parseReport(json);
}

/** report.html, report.md and tables/*.csv of a document, which a command may build itself. */
export async function writeDocument(folder: string, document: Document): Promise<void> {
  // Plot takes a third of a second to load: only who draws waits for it.
  const { htmlReport } = await import('./html/page.js');
  const tables = join(folder, 'tables');
  await mkdir(tables, { recursive: true });
  await writeWhole(join(folder, 'report.html'), htmlReport(document));
  await writeWhole(join(folder, 'report.md'), markdownReport(document));
  for (const [name, content] of csvFiles(document)) await writeWhole(join(tables, name), content);
}

/** Checks a report and writes all of its files. Throws InvalidArgumentError before anything is written. */
export async function writeReport(folder: string, report: ReportInput): Promise<Report> {
  const checked = parseReport(report);
  await mkdir(folder, { recursive: true });
  await writeWhole(join(folder, 'report.json'), `${JSON.stringify(checked, null, 1)}\n`);
  await writeDocument(folder, buildDocument(checked));
  return checked;
}
