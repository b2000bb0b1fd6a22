// Resizing as torchvision's transforms.Resize and CenterCrop do it to Pillow pictures: bilinear, with antialiasing.
//
// Pillow's arithmetic (src/libImaging/Resample.c): a triangle as wide as the scale, weights rounded to 22 bits, columns
// first, bytes between the two passes; the result is the same to the last bit.

/** Bytes [height, width, channels]. */
export interface Pixels {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly data: Uint8Array;
}

/** 32 bits less those of a byte and two for sums. */
const PRECISION = 22;
const HALF = 1 << (PRECISION - 1);

interface Weights {
  /** First source place of each target place, [to]. */
  readonly first: Int32Array;
  /** How many, [to]. */
  readonly count: Int32Array;
  /** [to, size] */
  readonly values: Int32Array;
  readonly size: number;
}

function weightsOf(from: number, to: number): Weights {
  const scale = from / to;
  const support = Math.max(scale, 1);
  const size = 2 * Math.ceil(support) + 1;
  const [first, count, values] = [new Int32Array(to), new Int32Array(to), new Int32Array(to * size)];
  const triangle = new Float64Array(size);
  for (let i = 0; i < to; i++) {
    const centre = (i + 0.5) * scale;
    const start = Math.max(0, Math.trunc(centre - support + 0.5));
    const length = Math.min(from, Math.trunc(centre + support + 0.5)) - start;
    let sum = 0;
    for (let k = 0; k < length; k++) {
      const distance = Math.abs((k + start - centre + 0.5) * (1 / support));
      triangle[k] = distance < 1 ? 1 - distance : 0;
      sum += triangle[k] as number;
    }
    for (let k = 0; k < length; k++) {
      values[i * size + k] = Math.trunc(0.5 + ((triangle[k] as number) / sum) * 2 ** PRECISION);
    }
    first[i] = start;
    count[i] = length;
  }
  return { first, count, values, size };
}

/** x: [lines, from, run] → [lines, to, run]; the middle axis is resized. */
function resizeAxis(x: Uint8Array, lines: number, from: number, to: number, run: number): Uint8Array {
  if (from === to) return x;
  const { first, count, values, size } = weightsOf(from, to);
  const y = new Uint8Array(lines * to * run);
  for (let line = 0; line < lines; line++) {
    for (let i = 0; i < to; i++) {
      const [start, length, weights] = [first[i] as number, count[i] as number, i * size];
      const target = (line * to + i) * run;
      for (let c = 0; c < run; c++) {
        let sum = HALF;
        let at = (line * from + start) * run + c;
        for (let k = 0; k < length; k++, at += run) sum += (x[at] as number) * (values[weights + k] as number);
        y[target + c] = Math.min(255, sum >> PRECISION);
      }
    }
  }
  return y;
}

function resize({ height, width, channels, data }: Pixels, newHeight: number, newWidth: number): Pixels {
  const wide = resizeAxis(data, height, width, newWidth, channels);
  const all = resizeAxis(wide, 1, height, newHeight, newWidth * channels);
  return { height: newHeight, width: newWidth, channels, data: all };
}

/** Half to even, as Python's round. */
function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  return x - floor === 0.5 ? floor + (floor % 2) : Math.round(x);
}

function crop({ height, width, channels, data }: Pixels, newHeight: number, newWidth: number): Uint8Array {
  if (height === newHeight && width === newWidth) return data;
  const [top, left] = [roundHalfEven((height - newHeight) / 2), roundHalfEven((width - newWidth) / 2)];
  const result = new Uint8Array(newHeight * newWidth * channels);
  for (let y = 0; y < newHeight; y++) {
    const from = ((top + y) * width + left) * channels;
    result.set(data.subarray(from, from + newWidth * channels), y * newWidth * channels);
  }
  return result;
}

/**
 * A picture resized so that it covers height × width, its sides kept in proportion, and cut at the centre: for a square,
 * transforms.Resize(side) and CenterCrop(side).
 */
export function cover(picture: Pixels, height: number, width: number): Uint8Array {
  const byHeight = height / picture.height >= width / picture.width;
  const newHeight = byHeight ? height : Math.trunc((width * picture.height) / picture.width);
  const newWidth = byHeight ? Math.trunc((height * picture.width) / picture.height) : width;
  return crop(resize(picture, newHeight, newWidth), height, width);
}
