// Locks: one process at a time, and none that is gone.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { lockFolder } from '../../../lib/run/lock.js';
import { temporaryFolder } from '../../support/temporary_folder.js';

describe('a lock', () => {
  const path = temporaryFolder();

  it('keeps others out until it is opened', () => {
    const open = lockFolder(path());
    assert.throws(() => lockFolder(path()), new RegExp(`process ${process.pid} is writing to`));
    open();
    lockFolder(path())();
    assert.equal(existsSync(path('lock')), false);
  });

  it('takes the lock of a process whose number another one has now', () => {
    writeFileSync(path('lock'), `${process.pid} 1`);
    lockFolder(path())();
    assert.equal(existsSync(path('lock')), false);
  });

  it('lets exactly one of many processes in over a stale lock', async () => {
    writeFileSync(path('lock'), '999999999 1');
    const module = new URL('../../../lib/run/lock.js', import.meta.url).href;
    // Each stays, with or without the lock, until all have answered.
    const script = `import { lockFolder } from '${module}';
      try { lockFolder(process.argv[1]); console.log('in'); } catch { console.log('out'); } process.stdin.resume();`;
    const args = ['--input-type=module', '-e', script, path()];
    const children = Array.from({ length: 4 }, () =>
      spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] }),
    );
    const answers = await Promise.all(
      children.map(async ({ stdout }) => String((await once(stdout, 'data'))[0]).trim()),
    );
    assert.deepEqual(answers.sort(), ['in', 'out', 'out', 'out']);
    await Promise.all(children.map((child) => [child.stdin.end(), once(child, 'exit')][1]));
  });
});
