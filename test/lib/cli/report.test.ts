// `faultline report` and `faultline diff`: every format again, from a file or a run, and the exit codes of a comparison.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../../lib/core/package_root.js';
import { FORMATS } from '../../../lib/report/render.js';
import { writeReport } from '../../../lib/report/write.js';
import { reportFixture } from '../../support/report_fixture.js';

const MAIN = join(packageRoot(), 'dist', 'lib', 'cli', 'main.js');
const faultline = (...args: string[]) => spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8' });

describe('faultline report and diff', () => {
  let folder: string;
  let run: string;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'faultline-report-'));
    run = join(folder, 'run');
    await writeReport(run, reportFixture());
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('renders every format, of a file and of the folder of a run', () => {
    for (const format of FORMATS) {
      const { stdout, status, stderr } = faultline('report', run, '--format', format);
      assert.equal(status, 0, stderr);
      assert.match(stdout, /91\.30|91\.3/);
      assert.equal(faultline('report', join(run, 'report.json'), '--format', format).stdout, stdout);
    }
    // Not of HTML: Plot draws half a pixel elsewhere in a test runner.
    assert.equal(faultline('report', run, '--json').stdout, readFileSync(join(run, 'report.json'), 'utf8'));
  });

  it('writes to a file; CSV to a folder', () => {
    const [file, tables] = [join(folder, 'report.md'), join(folder, 'tables')];
    assert.equal(faultline('report', run, '--format', 'markdown', '--out', file).stdout, '');
    assert.equal(readFileSync(file, 'utf8'), readFileSync(join(run, 'report.md'), 'utf8'));
    faultline('report', run, '--format', 'csv', '--out', tables);
    assert.deepEqual(readdirSync(tables), readdirSync(join(run, 'tables')));
  });

  it('refuses what is no result, naming the file', () => {
    const wrong = join(folder, 'wrong.json');
    writeFileSync(wrong, '{"schema":"faultline.scan/1"}');
    for (const [path, message] of [
      [join(folder, 'missing'), /missing: expected a result as JSON, or the folder of a run, received ENOENT/],
      [wrong, /wrong\.json: model: expected what faultline\.scan\/1 says/],
      [MAIN, /main\.js: expected a result as JSON/],
    ] as const) {
      const { status, stderr } = faultline('report', path);
      assert.equal(status, 2);
      assert.match(stderr, message);
    }
  });

  it('diff: 0 where nothing got worse, 1 where something did, 2 where nothing can be compared', () => {
    const same = faultline('diff', run, run);
    assert.equal(same.status, 0, same.stderr);
    assert.match(same.stdout, /0 got worse and 0 better/);
    const inspection = join(folder, 'inspect.json');
    writeFileSync(inspection, faultline('inspect', '--json').stdout);
    assert.equal(faultline('diff', run, inspection).status, 2);
    assert.equal(faultline('diff', run, join(folder, 'missing')).status, 2);
  });
});
