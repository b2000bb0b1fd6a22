// Files of a run: whole or not there, and JSON that reads back as it was written.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { asJson, readIfThere, sha256, toJson, writeWhole } from '../../../lib/run/files.js';
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
    await assert.rejects(readIfThere(path('a')), /EISDIR/);
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
