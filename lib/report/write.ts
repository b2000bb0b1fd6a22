// The files of a result in a folder: report.json, and made from it report.html, report.md and tables/*.csv.
import { join } from 'node:path';
import { writeWhole } from '../run/files.js';
import { csvFiles } from './csv.js';
import { kind } from './kinds/report.js';
import type { CheckedResult } from './kinds.js';
import { FILE_FORMATS, render } from './render.js';
import type { Report, ReportInput } from './schema.js';

/** Writes all files of a command's result by their names. */
export async function writeResult(
  write: (name: string, content: string) => Promise<void>,
  checked: CheckedResult,
): Promise<void> {
  for (const [name, format] of Object.entries(FILE_FORMATS)) await write(name, await render(format, checked));
  for (const [name, content] of csvFiles(checked.document)) await write(join('tables', name), content);
}

/** Checks a report and writes all of its files. Throws InvalidArgumentError before anything is written. */
export async function writeReport(folder: string, report: ReportInput): Promise<Report> {
  const result = kind.check(report);
  await writeResult((name, content) => writeWhole(join(folder, name), content), {
    schema: kind.schema,
    result,
    document: kind.document(result),
  });
  return result;
}
