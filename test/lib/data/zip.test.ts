// Zip archives: members of their CRC, only those that are asked for, and sizes that are believed only within limits.
import assert from 'node:assert/strict';
import { closeSync, writeFileSync } from 'node:fs';
import { zipSync } from 'fflate';
import { openRegular } from '../../../lib/data/files.js';
import { readMember, zipMembers } from '../../../lib/data/zip.js';
import { temporaryFolder } from '../../support/temporary_folder.js';

describe('zip', () => {
  const path = temporaryFolder();
  const contents = Uint8Array.from({ length: 5000 }, (_, i) => (i * i) % 251);

  async function read(archive: Uint8Array, name = 'a.npy'): Promise<Uint8Array> {
    writeFileSync(path('a.zip'), archive);
    const file = openRegular(path('a.zip'));
    try {
      const member = zipMembers(file).get(name);
      assert.ok(member, name);
      return await readMember(file, member);
    } finally {
      closeSync(file.descriptor);
    }
  }

  const archives = ([0, 6] as const).map((level) => zipSync({ 'other.npy': contents, 'a.npy': contents }, { level }));
  /** Offset of a field of the entry called a.npy in the directory. */
  const entry = (archive: Uint8Array, field: number) => Buffer.from(archive).lastIndexOf('PK\x01\x02') + field;

  it('reads members stored and deflated', async () => {
    for (const archive of archives) assert.deepEqual(await read(archive), contents);
  });

  it('refuses damaged members and directories', async () => {
    for (const archive of archives) {
      const flipped = archive.slice();
      const inside = Buffer.from(archive).indexOf('a.npy') + 20;
      flipped[inside] = (flipped[inside] as number) ^ 4;
      await assert.rejects(read(flipped), /a\.npy: expected (contents of their CRC|whole deflate data|\d+ bytes)/);
      await assert.rejects(read(archive.subarray(0, archive.length - 1)), /expected a whole zip file/);
      const encrypted = archive.slice();
      encrypted[entry(archive, 8)] = 1;
      await assert.rejects(read(encrypted), /expected a member without a password/);
      const other = archive.slice();
      other[entry(archive, 10)] = 12;
      await assert.rejects(read(other), /received compression method 12/);
      const far = archive.slice();
      far[entry(archive, 45)] = 0x7f;
      await assert.rejects(read(far), /whose parts lie beyond its end/);
    }
  });

  it('refuses a size that the limits or the packed bytes do not allow, before it inflates', async () => {
    const archive = archives[1] as Uint8Array;
    const view = (size: number) => {
      const changed = archive.slice();
      new DataView(changed.buffer).setUint32(entry(archive, 24), size, true);
      return changed;
    };
    await assert.rejects(read(view(0xfffffff0)), /expected at most 2147483648 bytes .*FAULTLINE_MAX_INFLATED_BYTES/);
    await assert.rejects(read(view(0x7fffffff)), /too few for them/);
    await assert.rejects(read(view(4999)), /expected 4999 bytes when inflated, received more/);
    await assert.rejects(read(view(5001)), /expected 5001 bytes, received 5000/);
  });
});
