// Uncompressed pictures as Pillow reads them: BMP of 1, 4, 8, 24 and 32 bits, and PBM, PGM, PPM of up to 8 bits.
import { requireWithin } from '../core/limits.js';
import { DataError } from './errors.js';
import type { Pixels } from './resize.js';

/** Red, green, blue of a picture, checked against the limit before they are there. */
function canvas(path: string, height: number, width: number): Pixels {
  if (!(height > 0 && width > 0)) throw new DataError(path, 'a picture of one or more pixels', `${height}×${width}`);
  requireWithin('picturePixels', path, height * width);
  return { height, width, channels: 3, data: new Uint8Array(height * width * 3) };
}

function need(path: string, bytes: Uint8Array, length: number): void {
  if (bytes.length < length) throw new DataError(path, `${length} bytes`, `${bytes.length}: a truncated picture`);
}

const BMP_HEADER = 54;
const UNCOMPRESSED = 0;

export function decodeBmp(path: string, bytes: Uint8Array): Pixels {
  need(path, bytes, BMP_HEADER);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const [dataAt, header, bits, compression] = [
    view.getUint32(10, true),
    view.getUint32(14, true),
    view.getUint16(28, true),
    view.getUint32(30, true),
  ];
  // Other headers are OS/2's; 16 bits and masks are rare, and Pillow's rules for them have changed.
  if (![40, 108, 124].includes(header) || ![1, 4, 8, 24, 32].includes(bits) || compression !== UNCOMPRESSED) {
    const expected = 'an uncompressed BMP of 1, 4, 8, 24 or 32 bits (save it as PNG)';
    throw new DataError(path, expected, `header ${header}, ${bits} bits, compression ${compression}`);
  }
  const [width, signed] = [view.getInt32(18, true), view.getInt32(22, true)];
  const picture = canvas(path, Math.abs(signed), width);
  const { height, data } = picture;
  const colours = bits <= 8 ? view.getUint32(46, true) || 2 ** bits : 0;
  const stride = Math.ceil((width * bits) / 32) * 4;
  if (colours > 256) throw new DataError(path, 'at most 256 colours', String(colours));
  need(path, bytes, Math.max(14 + header + 4 * colours, dataAt + stride * height));
  const step = bits / 8;
  for (let y = 0; y < height; y++) {
    const row = dataAt + (signed < 0 ? y : height - 1 - y) * stride;
    for (let x = 0; x < width; x++) {
      let at = row + x * step;
      if (bits <= 8) {
        const index = ((bytes[Math.floor(at)] as number) >> (8 - bits - ((x * bits) & 7))) & (2 ** bits - 1);
        if (index >= colours) throw new DataError(path, `colours below ${colours}`, String(index));
        at = 14 + header + 4 * index;
      }
      const to = (y * width + x) * 3;
      for (let c = 0; c < 3; c++) data[to + c] = bytes[at + 2 - c] as number;
    }
  }
  return picture;
}

const SPACE = /[\s]/;

/** Numbers at the head of a PNM file, comments skipped, and where the pixels begin. */
function pnmHeader(path: string, bytes: Uint8Array, count: number): { numbers: number[]; at: number } {
  const text = new TextDecoder('latin1').decode(bytes.subarray(0, 4096));
  const numbers: number[] = [];
  let at = 2;
  while (numbers.length < count) {
    const [all, digits = ''] = /^(?:\s|#[^\n\r]*[\n\r])+(\d{1,9})/.exec(text.slice(at)) ?? [];
    if (all === undefined) throw new DataError(path, 'a PNM header', JSON.stringify(text.slice(0, 40)));
    numbers.push(Number(digits));
    at += all.length;
  }
  if (!SPACE.test(text[at] ?? '')) throw new DataError(path, 'a PNM header', JSON.stringify(text.slice(0, 40)));
  return { numbers, at: at + 1 };
}

/** P4, P5 and P6. Values of a maximum below 255 are scaled, as Pillow does. */
export function decodePnm(path: string, bytes: Uint8Array): Pixels {
  const form = bytes[1] === 0x34 ? 4 : bytes[1] === 0x35 ? 5 : 6;
  const { numbers, at } = pnmHeader(path, bytes, form === 4 ? 2 : 3);
  const [width = 0, height = 0, most = 1] = numbers;
  if (most < 1 || most > 255)
    throw new DataError(path, 'a maximum from 1 to 255 (16 bits are clipped by Pillow)', `${most}`);
  const picture = canvas(path, height, width);
  const { data } = picture;
  const stride = form === 4 ? Math.ceil(width / 8) : width * (form === 5 ? 1 : 3);
  need(path, bytes, at + stride * height);
  for (let y = 0; y < height; y++) {
    for (let i = 0; i < width * 3; i++) {
      const x = Math.floor(i / 3);
      const byte = bytes[at + y * stride + (form === 4 ? x >> 3 : form === 5 ? x : i)] as number;
      const value = form === 4 ? ((byte >> (7 - (x & 7))) & 1 ? 0 : 255) : scaled(byte, most);
      data[y * width * 3 + i] = value;
    }
  }
  return picture;
}

/** 0 … most → 0 … 255, half to even. */
function scaled(value: number, most: number): number {
  if (most === 255) return value;
  const exact = (value * 255) / most;
  const floor = Math.floor(exact);
  return Math.min(255, exact - floor === 0.5 ? floor + (floor % 2) : Math.round(exact));
}
