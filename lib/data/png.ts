// Pictures as PNG files (W3C PNG, 3rd edition), 8 bits a channel, without an image library.
import { zlibSync } from 'fflate';
import { InvalidArgumentError, requireInteger } from '../core/errors.js';
import { crc32 } from './crc32.js';

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
/** Colour type by number of channels: grey, grey with alpha, red green blue, the same with alpha. */
const COLOUR_TYPE: Readonly<Record<number, number>> = { 1: 0, 2: 4, 3: 2, 4: 6 };
const MAX_SIDE = 2 ** 16;

function chunk(type: string, content: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + content.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, content.length);
  bytes.set(Buffer.from(type, 'latin1'), 4);
  bytes.set(content, 8);
  view.setUint32(8 + content.length, crc32(bytes.subarray(4, 8 + content.length)));
  return bytes;
}

/** Chunks begin after the signature: length, type, content, CRC. */
function* chunksOf(
  file: Uint8Array,
): Generator<{ readonly type: string; readonly at: number; readonly length: number }> {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  for (let at = SIGNATURE.length; at + 12 <= file.length; ) {
    const length = view.getUint32(at);
    yield { type: Buffer.from(file.subarray(at + 4, at + 8)).toString('latin1'), at, length };
    at += 12 + length;
  }
}

/** The file with as many colours as its pixels can name, greys (i, i, i) for those that its palette lacks, as Pillow has them. */
export function wholePalette(file: Uint8Array): Uint8Array {
  const [depth, colourType] = file.subarray(24, 26);
  if (colourType !== 3 || depth === undefined || depth > 8) return file;
  for (const { type, at, length } of chunksOf(file)) {
    if (type !== 'PLTE' || length >= 3 * 2 ** depth || at + 12 + length > file.length) continue;
    const colours = Uint8Array.from({ length: 3 * 2 ** depth }, (_, i) => Math.floor(i / 3));
    colours.set(file.subarray(at + 8, at + 8 + length));
    return Buffer.concat([file.subarray(0, at), chunk('PLTE', colours), file.subarray(at + 12 + length)]);
  }
  return file;
}

/** pixels: [height, width, channels] bytes, 1 to 4 channels → a PNG file. Throws InvalidArgumentError. */
export function encodePng(pixels: Uint8Array, height: number, width: number, channels: number): Uint8Array {
  requireInteger('encodePng', 'height', height, 1, MAX_SIDE);
  requireInteger('encodePng', 'width', width, 1, MAX_SIDE);
  requireInteger('encodePng', 'channels', channels, 1, 4);
  const row = width * channels;
  if (pixels.length !== height * row) {
    throw new InvalidArgumentError('encodePng', 'pixels', `${height * row} bytes`, String(pixels.length));
  }
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, COLOUR_TYPE[channels] as number, 0, 0, 0], 8);
  // Each row after its filter, none: on pictures this small filters save nothing.
  const rows = new Uint8Array(height * (row + 1));
  for (let y = 0; y < height; y++) rows.set(pixels.subarray(y * row, (y + 1) * row), y * (row + 1) + 1);
  const parts = [SIGNATURE, chunk('IHDR', header), chunk('IDAT', zlibSync(rows)), chunk('IEND', new Uint8Array())];
  return Uint8Array.from(Buffer.concat(parts));
}
