// Data files with flipped bits, cut ends and changed lengths: read or refused by name, never a crash, a hang or a
// gigabyte.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { zipSync } from 'fflate';
import { LimitError } from '../../../lib/core/limits.js';
import { DataError } from '../../../lib/data/errors.js';
import { loadDataset } from '../../../lib/data/load.js';
import { readPicture } from '../../../lib/data/pictures.js';
import { encodePng } from '../../../lib/data/png.js';
import { Random } from '../../../lib/tensor/random.js';
import { idx } from '../../support/idx.js';
import { npy } from '../../support/npy.js';
import { temporaryFolder } from '../../support/temporary_folder.js';

const MUTATIONS_EACH = 1500;
const MOST_BYTES = 2 ** 30;
/** Interesting values of a byte in a length or an offset. */
const BYTES = [0, 1, 0x7f, 0x80, 0xfe, 0xff];

function mutated(original: Uint8Array, random: Random): Uint8Array {
  const bytes = Uint8Array.from(original);
  for (let changes = 1 + random.integer(4); changes > 0; changes--) {
    // Lengths are at the beginning, and in zip files at the end.
    const from = random.integer(3) === 0 ? 0 : random.integer(2) === 0 ? Math.max(0, bytes.length - 120) : -1;
    const at = from < 0 ? random.integer(bytes.length) : Math.min(bytes.length - 1, from + random.integer(120));
    const kind = random.integer(3);
    if (kind === 0) bytes[at] = (bytes[at] as number) ^ (1 << random.integer(8));
    else if (kind === 1) bytes[at] = BYTES[random.integer(BYTES.length)] as number;
    else bytes.fill(BYTES[random.integer(BYTES.length)] as number, at, Math.min(at + 4, bytes.length));
  }
  return random.integer(6) === 0 ? bytes.subarray(0, random.integer(bytes.length)) : bytes;
}

describe('data: mutated files', () => {
  const path = temporaryFolder();
  const random = new Random(11);
  const pixels = Uint8Array.from({ length: 12 * 10 * 3 }, () => random.integer(256));
  const images = npy(
    '<f4',
    [3, 4, 5],
    Float32Array.from({ length: 60 }, () => random.normal()),
  );
  const labels = npy('<i8', [3], BigInt64Array.of(0n, 2n, 1n));

  /** Files by extension, what reads them, and what has to be there beside them. */
  async function originals(): Promise<[name: string, bytes: Uint8Array, read: (file: string) => Promise<unknown>][]> {
    writeFileSync(path('images.npy'), images);
    const { default: sharp } = await import('sharp');
    const picture = () => sharp(pixels, { raw: { width: 12, height: 10, channels: 3 } });
    const bmp = Buffer.alloc(54 + 36 * 10, 7);
    bmp.write('BM');
    for (const [at, value] of [
      [10, 54],
      [14, 40],
      [18, 12],
      [22, 10],
      [30, 0],
      [46, 0],
    ] as const) {
      bmp.writeUInt32LE(value, at);
    }
    bmp.writeUInt32LE(0x180001, 26);
    const data = (file: string) => loadDataset(file);
    const look = (file: string) => readPicture(file, 1);
    return [
      ['a.npy', images, data],
      ['a.npy.gz', gzipSync(images), data],
      ['stored.npz', zipSync({ 'x.npy': images, 'y.npy': labels }, { level: 0 }), data],
      ['deflated.npz', zipSync({ 'x.npy': images, 'y.npy': labels }), data],
      ['labels.npy', labels, (file) => loadDataset(`${path('images.npy')},${file}`)],
      ['a.idx3', idx([3, 4, 5], pixels.subarray(0, 60)), data],
      ['a.png', encodePng(pixels, 10, 12, 3), look],
      ['a.jpg', await picture().jpeg().toBuffer(), look],
      ['a.webp', await picture().webp().toBuffer(), look],
      ['a.tif', await picture().tiff({ compression: 'lzw' }).toBuffer(), look],
      ['a.bmp', bmp, look],
      ['a.ppm', Buffer.concat([Buffer.from('P6 # c\n12 10\n255\n'), pixels]), look],
    ];
  }

  it(`${MUTATIONS_EACH} of each are read or refused`, async () => {
    for (const [name, bytes, read] of await originals()) {
      const file = path(name);
      writeFileSync(file, bytes);
      await read(file);
      for (let i = 0; i < MUTATIONS_EACH; i++) {
        writeFileSync(file, mutated(bytes, random));
        const error = await read(file).then(
          () => undefined,
          (reason: unknown) => reason,
        );
        const known = error === undefined || error instanceof DataError || error instanceof LimitError;
        assert.ok(known, `${name}, mutation ${i}: ${(error as Error)?.stack}`);
      }
    }
    assert.ok(process.resourceUsage().maxRSS * 1024 < MOST_BYTES, `${process.resourceUsage().maxRSS} kB`);
  });
});
