// Images as data URLs: a PNG whose pixels are those of the image.
import assert from 'node:assert/strict';
import { inflateSync } from 'node:zlib';
import { InvalidArgumentError } from '../../../lib/core/errors.js';
import { pictureUrl } from '../../../lib/report/picture.js';

const HEADER = 8;

/** Chunks of a PNG by name. */
function chunksOf(url: string): Map<string, Buffer> {
  const prefix = 'data:image/png;base64,';
  assert.ok(url.startsWith(prefix));
  const bytes = Buffer.from(url.slice(prefix.length), 'base64');
  const chunks = new Map<string, Buffer>();
  for (let at = HEADER; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    chunks.set(bytes.toString('latin1', at + 4, at + 8), bytes.subarray(at + 8, at + 8 + length));
    at += 12 + length;
  }
  return chunks;
}

/** Width, height, and rows of pixels after their filter byte, which must be "none". */
function decode(url: string, channels: number) {
  const chunks = chunksOf(url);
  const header = chunks.get('IHDR') as Buffer;
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  const data = inflateSync(chunks.get('IDAT') as Buffer);
  const stride = 1 + width * channels;
  const rows = Array.from({ length: height }, (_, y) => [...data.subarray(y * stride, (y + 1) * stride)]);
  for (const [filter] of rows) assert.equal(filter, 0);
  return { width, height, pixels: rows.flatMap(([, ...row]) => row) };
}

describe('pictures of reports', () => {
  it('bytes are shown as they are', () => {
    const pixels = Uint8Array.from({ length: 2 * 6 }, (_, i) => 20 * i);
    const set = { count: 2, height: 2, width: 3, channels: 1, pixels };
    assert.deepEqual(decode(pictureUrl(set, 1), 1), { width: 3, height: 2, pixels: [...pixels.subarray(6)] });
  });

  it('floats are stretched from black to white, a constant image is black', () => {
    const set = { count: 2, height: 1, width: 3, channels: 1, pixels: Float32Array.of(-1, 0, 1, 5, 5, 5) };
    assert.deepEqual(decode(pictureUrl(set, 0), 1).pixels, [0, 128, 255]);
    assert.deepEqual(decode(pictureUrl(set, 1), 1).pixels, [0, 0, 0]);
  });

  it('of more than 4 channels the first is shown', () => {
    const pixels = Uint8Array.from({ length: 10 }, (_, i) => i);
    assert.deepEqual(decode(pictureUrl({ count: 1, height: 1, width: 2, channels: 5, pixels }, 0), 1).pixels, [0, 5]);
  });

  it('refuses an image that is not in the set', () => {
    const set = { count: 1, height: 1, width: 1, channels: 1, pixels: new Uint8Array(1) };
    assert.throws(() => pictureUrl(set, 1), InvalidArgumentError);
  });
});
