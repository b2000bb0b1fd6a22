// What corruptions look like, in one picture: a row for each, the clean image first, then its levels from left to right.
import { setImmediate } from 'node:timers/promises';
import { InvalidArgumentError } from '../core/errors.js';
import { type CorruptionRequest, corrupt, corruptionInfo, formatLevel } from './corruptions.js';
import { type ImageSet, type Normalization, subset } from './image_set.js';
import { encodePng } from './png.js';

/** What pictures a contact sheet is of. */
export interface ContactSheetOptions {
  readonly seed?: number | undefined;
  /** For what gives inputs of the network, which are shown as pixels again, cut at black and white. */
  readonly normalization: Normalization;
  /** Images of the set to show, one after the other from row to row. Default: the first eight. */
  readonly images?: readonly number[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Letters of 3 × 5 points, 15 bits each from the top left, for names and levels. */
const GLYPHS: Record<string, number> = {
  a: 0b010101111101101,
  b: 0b110101110101110,
  c: 0b011100100100011,
  d: 0b110101101101110,
  e: 0b111100110100111,
  f: 0b111100110100100,
  g: 0b011100101101011,
  h: 0b101101111101101,
  i: 0b111010010010111,
  j: 0b001001001101010,
  k: 0b101101110101101,
  l: 0b100100100100111,
  m: 0b101111111101101,
  n: 0b110101101101101,
  o: 0b010101101101010,
  p: 0b110101110100100,
  q: 0b010101101110011,
  r: 0b110101110101101,
  s: 0b011100010001110,
  t: 0b111010010010010,
  u: 0b101101101101111,
  v: 0b101101101101010,
  w: 0b101101111111101,
  x: 0b101101010101101,
  y: 0b101101010010010,
  z: 0b111001010100111,
  '0': 0b111101101101111,
  '1': 0b010110010010111,
  '2': 0b110001010100111,
  '3': 0b110001010001110,
  '4': 0b101101111001001,
  '5': 0b111100110001110,
  '6': 0b011100111101111,
  '7': 0b111001010010010,
  '8': 0b111101111101111,
  '9': 0b111101111001110,
  '.': 0b000000000000010,
  ' ': 0,
};
const GLYPH_WIDTH = 3;
const GLYPH_HEIGHT = 5;
const POINT = 2; // pixels a point
const STEP = (GLYPH_WIDTH + 1) * POINT;

/** Pictures are enlarged by whole factors to about this. */
export const SHOWN_SIDE = 72;
export const GAP = 4;
const PAPER = 250;
const INK = 40;

export class Canvas {
  readonly pixels: Uint8Array;

  constructor(
    readonly height: number,
    readonly width: number,
  ) {
    this.pixels = new Uint8Array(height * width * 3).fill(PAPER);
  }

  text(text: string, top: number, left: number): void {
    [...text].forEach((letter, i) => {
      const glyph = GLYPHS[letter] ?? 0;
      for (let point = 0; point < GLYPH_WIDTH * GLYPH_HEIGHT; point++) {
        if (!((glyph >> (GLYPH_WIDTH * GLYPH_HEIGHT - 1 - point)) & 1)) continue;
        const y = top + Math.floor(point / GLYPH_WIDTH) * POINT;
        const x = left + i * STEP + (point % GLYPH_WIDTH) * POINT;
        for (let row = y; row < y + POINT; row++)
          this.pixels.fill(INK, (row * this.width + x) * 3, (row * this.width + x + POINT) * 3);
      }
    });
  }

  /** An image [height, width, channels] of bytes, every pixel a square of `scale`. */
  image(set: ImageSet, scale: number, top: number, left: number): void {
    const { height, width, channels, pixels } = set;
    for (let y = 0; y < height * scale; y++) {
      for (let x = 0; x < width * scale; x++) {
        const from = (Math.floor(y / scale) * width + Math.floor(x / scale)) * channels;
        const to = ((top + y) * this.width + left + x) * 3;
        for (let c = 0; c < 3; c++) this.pixels[to + c] = pixels[from + (channels === 1 ? 0 : c)] as number;
      }
    }
  }
}

/** Inputs of a network as bytes again, cut at black and white. */
export function asPixels(set: ImageSet, { mean, std }: Normalization): ImageSet {
  if (set.pixels instanceof Uint8Array) return set;
  const { channels } = set;
  const pixel = (value: number, c: number) => 255 * (value * (std[c] ?? 1) + (mean[c] ?? 0));
  const clamped = Uint8ClampedArray.from(set.pixels, (value, i) => pixel(value, i % channels));
  return { ...set, pixels: new Uint8Array(clamped.buffer) };
}

/** A PNG file. Throws InvalidArgumentError when there is nothing to show; else as `corrupt`. */
export async function contactSheet(
  set: ImageSet,
  requests: readonly CorruptionRequest[],
  options: ContactSheetOptions,
): Promise<Uint8Array> {
  if (requests.length === 0) throw new InvalidArgumentError('contactSheet', 'requests', 'one or more', 'none');
  const { images = [0, 1, 2, 3, 4, 5, 6, 7].filter((i) => i < set.count), normalization, seed, signal } = options;
  const scale = Math.max(1, Math.round(SHOWN_SIDE / set.height));
  const [cellHeight, cellWidth] = [set.height * scale + GAP, set.width * scale + GAP];
  const longest = Math.max(...requests.map(({ name }) => name.length));
  const labels = longest * STEP + 2 * GAP;
  const heading = GLYPH_HEIGHT * POINT + 2 * GAP;
  const columns = 1 + Math.max(...requests.map(({ levels }) => levels.length));
  const sameLevels = new Set(requests.map(({ levels }) => levels.map(formatLevel).join())).size === 1;
  const canvas = new Canvas(heading + requests.length * cellHeight, labels + columns * cellWidth);
  canvas.text('clean', GAP, labels);
  for (const [row, { name, levels }] of requests.entries()) {
    signal?.throwIfAborted();
    const one = subset(set, [images[row % images.length] as number]);
    const top = heading + row * cellHeight;
    canvas.text(name.replaceAll('_', ' '), top + Math.floor(cellHeight / 2) - POINT * GLYPH_HEIGHT, GAP);
    canvas.text(corruptionInfo(name).family, top + Math.floor(cellHeight / 2) + POINT * 2, GAP);
    canvas.image(asPixels(one, normalization), scale, top, labels);
    for (const [column, level] of levels.entries()) {
      const left = labels + (column + 1) * cellWidth;
      if (row === 0 && sameLevels) canvas.text(formatLevel(level), GAP, left);
      canvas.image(asPixels(await corrupt(one, name, level, { seed, normalization }), normalization), scale, top, left);
    }
    await setImmediate();
  }
  return encodePng(canvas.pixels, canvas.height, canvas.width, 3);
}
