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
