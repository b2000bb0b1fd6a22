// Files of a run: whole or not there, and JSON that reads back as it was written.
import assert from 'node:assert/strict';
import { chmodSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import {
  appendLines,
  asJson,
  isUnfinished,
  parseJson,
  readIfThere,
  sha256,
  toJson,
  writeWhole,
} from '../../../lib/run/files.js';
import { temporaryFolder } from '../../support/temporary_folder.js';

describe('files of a run', () => {
  const path = temporaryFolder();

  it('replace what was there, make their folder, and leave nothing else', async () => {
    await writeWhole(path('a', 'b.txt'), 'old');
    await writeWhole(path('a', 'b.txt'), Uint8Array.of(110, 101, 119));
    assert.equal(readFileSync(path('a', 'b.txt'), 'utf8'), 'new');
    assert.deepEqual(readdirSync(path('a')), ['b.txt']);
    assert.equal((await readIfThere(path('a', 'b.txt')))?.toString(), 'new');
    assert.equal(await readIfThere(path('a', 'c.txt')), undefined);
    await assert.rejects(readIfThere(path('a')), /a: expected a file that can be read, received EISDIR/);
  });

  it('are written by many at once, each of them whole, whatever the length of the name', async () => {
    const name = path('many', 'n'.repeat(255));
    await Promise.all(Array.from({ length: 75 }, (_, i) => writeWhole(name, `${i}`.repeat(1000))));
    assert.match(readFileSync(name, 'utf8'), /^(\d\d?)\1{999}$/);
    assert.deepEqual(readdirSync(path('many')), ['n'.repeat(255)]);
  });

  it('replace a link, not what it leads to, and keep who may read', async () => {
    writeFileSync(path('victim'), 'mine');
    symlinkSync(path('victim'), path('link'));
    await writeWhole(path('link'), 'new');
    assert.deepEqual([readFileSync(path('victim'), 'utf8'), readFileSync(path('link'), 'utf8')], ['mine', 'new']);
    symlinkSync(path('victim'), path('events'));
    await assert.rejects(appendLines(path('events'), 'line\n'), /events: expected a file that can be written, .*ELOOP/);
    chmodSync(path('victim'), 0o600);
    await writeWhole(path('victim'), 'yours');
    assert.equal(statSync(path('victim')).mode & 0o777, 0o600);
  });

  it('name themselves where they cannot be written or are no JSON, and leave nothing', async () => {
    await assert.rejects(writeWhole(path('a'), 'x'), /a: expected a file that can be written, received E/);
    await assert.rejects(
      writeWhole(path('a', 'b.txt', 'c'), 'x'),
      /c: expected a file that can be written, received E/,
    );
    assert.deepEqual(readdirSync(path()).filter(isUnfinished), []);
    assert.throws(
      () => parseJson('a.json', '{"a": 1'),
      /^RunError: a\.json: expected JSON, received other or truncated/,
    );
    assert.throws(() => parseJson('a.json', ''), /a\.json: expected JSON, received nothing/);
  });

  it('get lines at their end, on a new line after one that was cut', async () => {
    await appendLines(path('lines'), 'one\ntw');
    await appendLines(path('lines'), 'three\n');
    assert.equal(readFileSync(path('lines'), 'utf8'), 'one\ntw\nthree\n');
  });

  it('hold typed arrays as arrays, and a value is what its file gives back', () => {
    const value = { a: Float32Array.of(0.5, 2), b: undefined, c: [1, Number.POSITIVE_INFINITY] };
    assert.deepEqual(asJson(value), { a: [0.5, 2], c: [1, null] });
    assert.deepEqual(JSON.parse(toJson(value)), asJson(value));
    assert.equal(asJson(undefined), null);
  });

  it('are named by SHA-256', () => {
    // FIPS 180-2, appendix B.1.
    assert.equal(sha256('abc'), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });
});
