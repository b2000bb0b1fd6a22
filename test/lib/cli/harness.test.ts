// The harness: Ctrl-C ends a command within a second, and the same command resumes.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../../lib/core/package_root.js';

const PROGRAM = join(packageRoot(), 'dist', 'test', 'support', 'harness_command.js');

describe('command harness', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'faultline-harness-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** The command, once it is in its second stage. */
  async function waiting(...flags: string[]): Promise<ChildProcess> {
    const child = spawn(process.execPath, [PROGRAM, folder, ...flags]);
    await once(child.stdout, 'data');
    return child;
  }

  /** Its exit code and what it said on stderr. */
  async function ended(child: ChildProcess): Promise<{ code: number | null; signal: string | null; said: string }> {
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    const [code, signal] = await once(child, 'close');
    return { code, signal, said };
  }

  const finish = (...flags: string[]) => {
    writeFileSync(join(folder, 'go'), '');
    return ended(spawn(process.execPath, [PROGRAM, folder, ...flags]));
  };

  it('stops on SIGINT and SIGTERM, and resumes after the last stage', async () => {
    let first: unknown;
    for (const [signal, code] of [
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ] as const) {
      const child = await waiting();
      const end = ended(child);
      child.kill(signal);
      const { code: received, said } = await end;
      assert.equal(received, code);
      assert.equal(said, `faultline: interrupted; the same command resumes in ${join(folder, 'run')}\n`);
      first ??= JSON.parse(readFileSync(join(folder, 'run', 'stages', 'first.json'), 'utf8')).result;
    }
    const { code, said } = await finish('--patience', '2');
    assert.deepEqual([code, said], [0, '2/2 stages\n']);
    assert.deepEqual(JSON.parse(readFileSync(join(folder, 'run', 'first.json'), 'utf8')), first);
    assert.equal(readFileSync(join(folder, 'run', 'second.txt'), 'utf8'), 'done');
  });

  it('ends what does not look at its signal', async () => {
    const child = await waiting('--ignore');
    const end = ended(child);
    child.kill('SIGINT');
    assert.equal((await end).code, 130);
  });

  it('a second signal kills', async () => {
    const child = await waiting('--ignore');
    const end = ended(child);
    child.kill('SIGINT');
    await new Promise((resolve) => setTimeout(resolve, 100));
    child.kill('SIGINT');
    assert.equal((await end).signal, 'SIGINT');
  });

  it('refuses other settings in the same folder, a folder that is a file, and says nothing when quiet', async () => {
    assert.deepEqual(await finish('--quiet'), { code: 0, signal: null, said: '' });
    const other = await finish('--ignore');
    assert.equal(other.code, 1);
    assert.match(other.said, /received others \(ignore: expected true, received undefined\)/);
    assert.equal((await finish('--ignore', '--fresh')).code, 0);
    rmSync(join(folder, 'run'), { recursive: true });
    writeFileSync(join(folder, 'run'), '');
    const { code, said } = await finish();
    assert.equal(code, 2);
    assert.match(said, /--out: expected a folder/);
  });
});
