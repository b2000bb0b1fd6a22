// Runs: what a stage finished is there for the next process, what was changed is noticed, and one process writes at a time.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RunDirectory, RunError } from '../../../lib/run/run_directory.js';

describe('a run directory', () => {
  let folder: string;
  const options = { command: 'test', configuration: { seed: 1 } };
  const open = (more: object = {}) => RunDirectory.open(join(folder, 'run'), { ...options, ...more });

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'faultline-run-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('computes a stage once, and gives its result to a later process', async () => {
    const first = await open();
    let computed = 0;
    const work = async () => {
      computed += 1;
      return { value: 0.1 + 0.2, nothing: undefined };
    };
    const result = await first.stage('one', work);
    first.close();
    const second = await open();
    assert.equal(second.continued, true);
    assert.deepEqual(await second.stage('one', work), result);
    assert.deepEqual(result, { value: 0.1 + 0.2 });
    assert.equal(computed, 1);
    assert.equal(second.seconds.get('one'), first.seconds.get('one'));
    second.close();
  });

  it('does a stage again that failed half-way', async () => {
    const first = await open();
    await assert.rejects(
      first.stage('one', async (stage) => {
        await stage.write('a.txt', 'half');
        throw new Error('killed');
      }),
      /killed/,
    );
    first.close();
    const second = await open();
    assert.equal(await second.stage('one', async () => 'whole'), 'whole');
    second.close();
  });

  it('notices when a file of a finished stage was changed or is gone', async () => {
    const write = async (run: RunDirectory) =>
      run.stage('one', async (stage) => stage.write('sub/a.txt', 'content').then(() => null));
    const first = await open();
    await write(first);
    first.close();
    appendFileSync(join(folder, 'run/sub/a.txt'), '!');
    const second = await open();
    await assert.rejects(
      write(second),
      (error: Error) => error instanceof RunError && /a\.txt.*changed/.test(error.message),
    );
    rmSync(join(folder, 'run/sub/a.txt'));
    await assert.rejects(write(second), /a\.txt.*received none/);
    second.close();
  });

  it('refuses a run with other settings, naming them, and starts over on request', async () => {
    const first = await open();
    await first.stage('one', async () => 1);
    first.close();
    await assert.rejects(open({ configuration: { seed: 2 } }), /seed: expected 2, received 1/);
    const fresh = await open({ configuration: { seed: 2 }, fresh: true });
    assert.equal(fresh.continued, false);
    assert.equal(await fresh.stage('one', async () => 2), 2);
    fresh.close();
  });

  it('refuses a folder that holds something else, and leaves it alone', async () => {
    writeFileSync(join(folder, 'mine.txt'), 'mine');
    for (const fresh of [false, true]) {
      await assert.rejects(RunDirectory.open(folder, { ...options, fresh }), /expected a new folder.*mine\.txt/);
    }
    assert.deepEqual(readdirSync(folder), ['mine.txt']);
  });

  it('refuses a manifest that is cut short', async () => {
    (await open()).close();
    const path = join(folder, 'run/manifest.json');
    writeFileSync(path, readFileSync(path, 'utf8').slice(0, 40));
    await assert.rejects(open(), /manifest\.json: expected JSON/);
    assert.equal(existsSync(join(folder, 'run/lock')), false);
  });

  it('is written by one process at a time, and freed by one that was killed', async () => {
    const other = spawn('sleep', ['60']);
    const stat = readFileSync(`/proc/${other.pid}/stat`, 'utf8');
    const started = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    (await open()).close();
    writeFileSync(join(folder, 'run/lock'), `${other.pid} ${started}`);
    await assert.rejects(open(), new RegExp(`process ${other.pid} is writing to`));
    other.kill('SIGKILL');
    await new Promise((resolve) => other.once('exit', resolve));
    (await open()).close();
    assert.equal(existsSync(join(folder, 'run/lock')), false);
  });

  it('records its events, one line each', async () => {
    const run = await open();
    await run.stage('one', async () => 1);
    run.close();
    const lines = readFileSync(join(folder, 'run/events.jsonl'), 'utf8').trim().split('\n');
    assert.deepEqual(
      lines.map((line) => (JSON.parse(line) as { event: string }).event),
      ['opened', 'stage begins', 'stage ended'],
    );
  });
});
