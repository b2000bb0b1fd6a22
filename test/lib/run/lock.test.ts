// Locks: one process at a time, and none that is gone, whatever lies under the lock's name.
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { lockFolder } from '../../../lib/run/lock.js';
import { temporaryFolder } from '../../support/temporary_folder.js';

const MODULE = new URL('../../../lib/run/lock.js', import.meta.url).href;
/** Locks a folder, says so, and stays until its input ends. */
const HOLD = `import { lockFolder } from '${MODULE}';
  try { lockFolder(process.argv[1]); console.log('in'); } catch (error) { console.log(error.message); }
  process.stdin.resume();`;
const hold = (folder: string) => ['--input-type=module', '-e', HOLD, folder];

describe('a lock', () => {
  const path = temporaryFolder();

  it('keeps others out until it is released', () => {
    const lock = lockFolder(path());
    assert.throws(() => lockFolder(path()), new RegExp(`process ${process.pid} on .* is writing to`));
    assert.equal(lock.held(), true);
    lock.release();
    lock.release();
    assert.equal(lock.held(), false);
    lockFolder(path()).release();
    assert.equal(existsSync(path('lock')), false);
  });

  it('notices that its folder was removed, and leaves the lock of another alone', () => {
    mkdirSync(path('removed'));
    const lock = lockFolder(path('removed'));
    rmSync(path('removed'), { recursive: true });
    assert.equal(lock.held(), false);
    const next = lockFolder(path('removed'));
    lock.release();
    assert.equal(next.held(), true);
    next.release();
  });

  it('lets exactly one of many processes in over the file of one that is gone, and ends with its process', async () => {
    writeFileSync(path('lock'), '999999999 1');
    // Each stays, with or without the lock, until all have answered.
    const children = Array.from({ length: 4 }, () =>
      spawn(process.execPath, hold(path()), { stdio: ['pipe', 'pipe', 'inherit'] }),
    );
    const answers = await Promise.all(
      children.map(async ({ stdout }) => String((await once(stdout, 'data'))[0]).trim()),
    );
    assert.equal(answers.filter((answer) => answer === 'in').length, 1);
    for (const answer of answers) assert.match(answer, /^in$|process \d+ on \S+ is writing to/);
    await Promise.all(children.map((child) => [child.kill('SIGKILL'), once(child, 'exit')][1]));
    lockFolder(path()).release();
  });

  it('is seen from another PID namespace', async function () {
    const separate = ['--pid', '--fork', '--kill-child', '--mount-proc'];
    if (spawnSync('unshare', [...separate, 'true']).status !== 0) return this.skip();
    const child = spawn('unshare', [...separate, process.execPath, ...hold(path())], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    assert.equal(String((await once(child.stdout, 'data'))[0]).trim(), 'in');
    assert.throws(() => lockFolder(path()), /is writing to/);
    child.kill('SIGKILL');
    await once(child, 'close');
    const lock = lockFolder(path());
    const said = spawnSync('unshare', [...separate, process.execPath, ...hold(path())], {
      input: '',
      encoding: 'utf8',
    });
    assert.match(said.stdout, new RegExp(`process ${process.pid} on .* is writing to`));
    lock.release();
  });

  it('refuses what is no lock file, once and by its kind', () => {
    const lock = path('lock');
    const refused = (make: () => void, kind: RegExp) => {
      make();
      assert.throws(() => lockFolder(path()), kind);
      rmSync(lock, { recursive: true });
    };
    refused(() => mkdirSync(lock), /lock: expected a lock file that can be written, received a folder: remove it/);
    refused(() => symlinkSync('nowhere', lock), /received a link: remove it/);
    refused(() => execFileSync('mkfifo', [lock]), /received a FIFO: remove it/);
    assert.throws(() => lockFolder('/proc/1/nowhere'), /nowhere: expected a folder that can be made, received E/);
  });

  it('does not repeat what a stranger wrote into its file', async () => {
    const child = spawn(process.execPath, hold(path()), { stdio: ['pipe', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    assert.match(readFileSync(path('lock'), 'utf8'), new RegExp(`^process ${child.pid} on `));
    writeFileSync(path('lock'), '\x1b[31mred');
    assert.throws(() => lockFolder(path()), /received one that another process is writing to/);
    child.stdin.end();
    await once(child, 'exit');
  });
});
