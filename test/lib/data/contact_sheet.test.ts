// The contact sheet: a PNG file in which the images can be found again.
import assert from 'node:assert/strict';
import { inflateSync } from 'node:zlib';
import { contactSheet } from '../../../lib/data/contact_sheet.js';
import { parseCorruptions } from '../../../lib/data/corruptions.js';
import { imageSet } from '../../../lib/data/image_set.js';
import { encodePng } from '../../../lib/data/png.js';

/** Width, height, kind of colour and rows of a PNG file of one IDAT chunk without row filters. */
function decode(png: Uint8Array) {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  assert.deepEqual([...png.subarray(0, 8)], [137, 80, 78, 71, 13, 10, 26, 10]);
  const chunks = new Map<string, Uint8Array>();
  for (let at = 8; at < png.length; ) {
    const length = view.getUint32(at);
    chunks.set(Buffer.from(png.subarray(at + 4, at + 8)).toString('latin1'), png.subarray(at + 8, at + 8 + length));
    at += length + 12;
  }
  const header = chunks.get('IHDR') as Uint8Array;
  const [width, height] = [0, 4].map((at) => new DataView(header.buffer, header.byteOffset).getUint32(at)) as [
    number,
    number,
  ];
  const rows = inflateSync(chunks.get('IDAT') as Uint8Array);
  const stride = rows.length / height;
  const pixels = Array.from({ length: height }, (_, y) => [...rows.subarray(y * stride + 1, (y + 1) * stride)]);
  assert.ok(chunks.has('IEND'));
  return { width, height, colour: header[9], pixels };
}

describe('encodePng', () => {
  it('writes the pixels, with the checksums that readers look at', () => {
    const pixels = Uint8Array.from({ length: 24 }, (_, i) => 10 * i);
    const colour = decode(encodePng(pixels, 2, 4, 3));
    assert.deepEqual([colour.width, colour.height, colour.colour], [4, 2, 2]);
    assert.deepEqual(colour.pixels.flat(), [...pixels]);
    assert.equal(decode(encodePng(pixels, 4, 6, 1)).colour, 0);
    // The checksum of every PNG file's last chunk.
    assert.equal(Buffer.from(encodePng(pixels, 2, 4, 3).subarray(-4)).toString('hex'), 'ae426082');
  });
});

describe('contactSheet', () => {
  const set = imageSet('test', { height: 36, width: 36, channels: 1, pixels: new Uint8Array(36 * 36).fill(100) });
  const normalization = { mean: [0.3], std: [0.2] };

  it('shows the clean image, then each level', async () => {
    const sheet = decode(await contactSheet(set, parseCorruptions('inversion:1,bright_row:3'), { normalization }));
    const values = new Map<number, number>();
    for (const value of sheet.pixels.flat()) values.set(value, (values.get(value) ?? 0) + 1);
    const shownPixels = 36 * 36 * 4 * 3; // enlarged twice, in three channels
    // Clean twice, and the row that is not bright; inverted once; one bright row, cut at white.
    assert.equal(values.get(100), 2 * shownPixels + (shownPixels * 35) / 36);
    assert.equal(values.get(155), shownPixels);
    assert.equal(values.get(255), shownPixels / 36);
  });

  it('refuses to show nothing', async () => {
    await assert.rejects(contactSheet(set, [], { normalization }), /requests: expected one or more, received none/);
  });
});
