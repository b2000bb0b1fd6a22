// A picture file → pixels, as Pillow's Image.open(…).convert('RGB') or convert('L') has them, or refused with the reason.
//
// Transparency is dropped: convert() keeps the colour under it, whatever the background. Orientation of EXIF and colour
// profiles are not applied. What a file is, its first bytes say, not its name.
import type { Sharp, SharpOptions } from 'sharp';
import { limitOf, requireWithin } from '../core/limits.js';
import { decodeBmp, decodePnm } from './bitmaps.js';
import { DataError } from './errors.js';
import { readRegular } from './files.js';
import { wholePalette } from './png.js';
import type { Pixels } from './resize.js';

type OpenSharp = (bytes: Uint8Array, options: SharpOptions) => Sharp;

/** How files begin. `*` stands for any byte. */
const BEGINNINGS: readonly (readonly [beginning: string, format: string])[] = [
  ['\x89PNG\r\n\x1a\n', 'png'],
  ['\xff\xd8\xff', 'jpeg'],
  ['RIFF****WEBP', 'webp'],
  ['II*\0', 'tiff'],
  ['MM\0*', 'tiff'],
  ['GIF8', 'gif'],
  ['BM', 'bmp'],
  ['P4', 'pnm'],
  ['P5', 'pnm'],
  ['P6', 'pnm'],
];

function formatOf(path: string, bytes: Uint8Array): string {
  const text = Buffer.from(bytes.subarray(0, 512)).toString('latin1');
  for (const [beginning, format] of BEGINNINGS) {
    if ([...beginning].every((letter, i) => (format === 'webp' && letter === '*') || letter === text[i])) return format;
  }
  const received = /<svg|<\?xml/i.test(text) ? 'an SVG drawing' : bytes.length === 0 ? 'an empty file' : 'another file';
  throw new DataError(path, 'a picture: PNG, JPEG, WebP, TIFF, GIF, BMP, PPM', received);
}

async function openSharp(path: string): Promise<OpenSharp> {
  const { default: sharp } = await import('sharp').catch(() => {
    throw new DataError(path, 'the package sharp to decode pictures', 'none: run `npm install sharp`');
  });
  return sharp as OpenSharp;
}

/** What sharp reads in another way than Pillow. */
function difference(format: string, about: Awaited<ReturnType<Sharp['metadata']>>): string | undefined {
  const { space, depth, hasAlpha, pages = 1, orientation = 1 } = about;
  if (space === 'cmyk') return 'CMYK colours: save it as RGB';
  const sixteen = depth !== 'uchar' && !(format === 'png' && depth === 'ushort' && space === 'rgb16');
  if (sixteen) return `values of more than 8 bits (${depth}), which Pillow clips: save it with 8`;
  if (format === 'gif' && hasAlpha) return 'a GIF with transparency: save it as PNG';
  if (format === 'tiff' && orientation !== 1) return 'a TIFF that is to be turned: save it as it is seen';
  if (format !== 'tiff' && pages > 1) return 'an animation: save one frame';
  return undefined;
}

async function decodeBySharp(path: string, bytes: Uint8Array, format: string): Promise<Pixels> {
  const sharp = await openSharp(path);
  const refused = (error: Error): never => {
    throw new DataError(path, 'a picture', error.message);
  };
  const options = { ignoreIcc: true, limitInputPixels: limitOf('picturePixels') } as SharpOptions;
  const about = await sharp(bytes, { ...options, limitInputPixels: false })
    .metadata()
    .catch(refused);
  requireWithin('picturePixels', path, about.width * about.height);
  const why = difference(format, about);
  if (why) throw new DataError(path, 'a picture that is read as Pillow reads it', why);
  const image = sharp(bytes, options).removeAlpha().toColourspace('srgb').raw();
  const { data, info } = await image.toBuffer({ resolveWithObject: true }).catch(refused);
  if (info.channels !== 3) throw new DataError(path, 'red, green and blue', `${info.channels} channels`);
  return { height: info.height, width: info.width, channels: 3, data };
}

/** ITU-R 601-2 luma with 16 bits, as Pillow rounds it. */
function grey({ height, width, data }: Pixels): Pixels {
  const luma = new Uint8Array(height * width);
  for (let i = 0, at = 0; i < luma.length; i++, at += 3) {
    const [red, green, blue] = [data[at] as number, data[at + 1] as number, data[at + 2] as number];
    luma[i] = (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
  }
  return { height, width, channels: 1, data: luma };
}

/** Reads a picture. Throws DataError naming it, LimitError where it is too large. */
export async function readPicture(path: string, channels: 1 | 3): Promise<Pixels> {
  const bytes = readRegular(path);
  const format = formatOf(path, bytes);
  const picture =
    format === 'bmp'
      ? decodeBmp(path, bytes)
      : format === 'pnm'
        ? decodePnm(path, bytes)
        : await decodeBySharp(path, format === 'png' ? wholePalette(bytes) : bytes, format);
  return channels === 1 ? grey(picture) : picture;
}
