// Results read back: the JSON of a command, or of the report in the folder of a run.
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InvalidArgumentError } from '../core/errors.js';
import { type CheckedResult, checkResult } from './kinds.js';

async function fileOf(path: string): Promise<string> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw new InvalidArgumentError('report', path, 'a result as JSON, or the folder of a run', `${error.code}`);
  });
  return found.isDirectory() ? join(path, 'report.json') : path;
}

/** Throws InvalidArgumentError, naming the file, when it is not a result. */
export async function readResult(path: string): Promise<CheckedResult> {
  const file = await fileOf(path);
  let json: unknown;
  try {
    json = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new InvalidArgumentError('report', file, 'a result as JSON', (error as Error).message);
  }
  try {
    return await checkResult(json);
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    throw new InvalidArgumentError('report', `${file}: ${error.argument}`, error.expected, error.received);
  }
}
