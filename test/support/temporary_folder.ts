// A folder for the files of one suite.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Makes the folder before the tests of the suite and removes it after them; returns how to name a file in it. */
export function temporaryFolder(): (...names: string[]) => string {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'faultline-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));
  return (...names) => join(folder, ...names);
}
