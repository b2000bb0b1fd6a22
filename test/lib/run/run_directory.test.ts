// Runs: what a stage finished is there for the next process, what was changed is noticed, and one process writes at a time.
import assert from 'node:assert/strict';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { RunError } from '../../../lib/run/files.js';
import { keeping, keepPart } from '../../../lib/run/parts.js';
import { RunDirectory } from '../../../lib/run/run_directory.js';

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

  it('takes over what a kill in its first moments left, and removes it', async () => {
    const run = join(folder, 'run');
    const left = [
      '.unfinished-0123456789abcdef',
      'stages/.unfinished-0123456789abcdef',
      'tables/.unfinished-ffffffffffffffff',
    ];
    mkdirSync(run);
    writeFileSync(join(run, 'lock'), '');
    writeFileSync(join(run, left[0] as string), '{');
    const first = await open();
    assert.equal(first.continued, false);
    first.close();
    for (const name of left) {
      mkdirSync(dirname(join(run, name)), { recursive: true });
      writeFileSync(join(run, name), 'x');
    }
    (await open()).close();
    for (const name of left) assert.equal(existsSync(join(run, name)), false, name);
  });

  it('computes a cut result again and says so, refuses an edited one by its name', async () => {
    const path = join(folder, 'run/stages/one.json');
    const notes: string[] = [];
    const work = async (value: number) => {
      const run = await open({ onNote: (note: string) => notes.push(note) });
      try {
        return await run.stage('one', async () => ({ value }));
      } finally {
        run.close();
      }
    };
    await work(1);
    for (const cut of [readFileSync(path, 'utf8').slice(0, 30), '']) {
      writeFileSync(path, cut);
      assert.deepEqual(await work(2), { value: 2 });
      assert.match(notes.pop() ?? '', /one\.json: expected JSON, received .*: stage one is computed again/);
    }
    writeFileSync(path, readFileSync(path, 'utf8').replace('"value": 2', '"value": 3'));
    await assert.rejects(work(4), /one\.json: expected the result of stage one, received changed content: use --fresh/);
    for (const foreign of ['null', '[]', '"text"', '{}']) {
      writeFileSync(path, foreign);
      await assert.rejects(work(4), /one\.json: expected the result of stage one/);
    }
  });

  it('goes on inside a stage, and leaves no parts', async () => {
    const { everyMs } = keeping;
    keeping.everyMs = 0;
    try {
      let parts = 0;
      const work = async (stop: boolean) => {
        const run = await open();
        try {
          return await run.stage('one', async () => {
            const first = await keepPart('part', async () => ++parts);
            if (stop) throw new Error('stopped');
            return [first, await keepPart('part', async () => ++parts)];
          });
        } finally {
          run.close();
        }
      };
      await assert.rejects(work(true), /stopped/);
      assert.deepEqual(await work(false), [1, 2]);
      assert.deepEqual(readdirSync(join(folder, 'run')).sort(), ['events.jsonl', 'manifest.json', 'stages']);
    } finally {
      keeping.everyMs = everyMs;
    }
  });

  it('refuses other versions of what computes, naming them', async () => {
    (await open()).close();
    const path = join(folder, 'run/manifest.json');
    const manifest = JSON.parse(readFileSync(path, 'utf8'));
    writeFileSync(path, JSON.stringify({ ...manifest, software: { ...manifest.software, isa: 'abacus' } }));
    await assert.rejects(open(), /same versions, received others \(isa: expected "\w+", received "abacus"\).*--fresh/);
    (await open({ fresh: true })).close();
    (await open()).close();
  });

  it('refuses a manifest that is cut short or foreign, and one of an older version unless it starts over', async () => {
    (await open()).close();
    const path = join(folder, 'run/manifest.json');
    const whole = readFileSync(path, 'utf8');
    writeFileSync(path, whole.slice(0, 40));
    for (const fresh of [false, true]) await assert.rejects(open({ fresh }), /manifest\.json: expected JSON/);
    writeFileSync(path, '{"name": "an extension"}');
    await assert.rejects(open({ fresh: true }), /manifest\.json: expected schema faultline\.run/);
    assert.equal(existsSync(join(folder, 'run/lock')), false);
    writeFileSync(path, whole.replace('faultline.run/2', 'faultline.run/1'));
    await assert.rejects(open(), /received "faultline\.run\/1": .*--fresh/);
    (await open({ fresh: true })).close();
  });

  it('writes nothing more once its folder was removed or another has its place', async () => {
    const run = await open();
    rmSync(join(folder, 'run'), { recursive: true });
    await assert.rejects(
      run.stage('one', async () => 1),
      /run: expected the folder of this run, .*was it removed/,
    );
    assert.equal(existsSync(join(folder, 'run')), false);
    const next = await open();
    await assert.rejects(run.write('report.json', ''), /was it removed/);
    run.close();
    await next.stage('one', async () => 1);
    next.close();
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
