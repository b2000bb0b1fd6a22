// Progress where there is no terminal: a line at each milestone, notes that say the same once, nothing when quiet.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { packageRoot } from '../../../lib/core/package_root.js';

const MODULE = join(packageRoot(), 'dist', 'lib', 'cli', 'progress.js');

/** What a script that has a `progress` writes to stderr. */
function said(script: string, quiet = false): string {
  const code = `import { Progress } from ${JSON.stringify(MODULE)}; const progress = new Progress(${quiet}); ${script}`;
  return spawnSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' }).stderr;
}

describe('progress', () => {
  it('is a line at each milestone', () => {
    const script = `
      const counts = progress.counts('passes');
      for (let done = 1; done <= 3; done++) counts(done, 3);
      progress.stage('judge', 1, 2);
      progress.stage('judge', 2, 2);
      progress.say('a sentence');
      progress.end();`;
    assert.equal(said(script), '3/3 passes\njudge: 2/2\na sentence\n');
    assert.equal(said(script, true), '');
  });

  it('notes say once what holds of several nodes', () => {
    const notes = ['Conv (a) folded into Conv (b)', 'Conv (c) folded into Conv (d)', 'another'];
    assert.equal(
      said(`progress.notes(${JSON.stringify(notes)})`),
      'Conv (a) folded into Conv (b), and 1 more\nanother\n',
    );
  });
});
