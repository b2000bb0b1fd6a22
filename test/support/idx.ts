// IDX files for tests: the format of MNIST.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Random } from '../../lib/tensor/random.js';

/** A file of unsigned bytes. */
export function idx(dims: readonly number[], data: ArrayLike<number>): Uint8Array {
  const header = Buffer.alloc(4 + 4 * dims.length);
  header.writeUInt32BE((8 << 8) | dims.length, 0);
  dims.forEach((dim, i) => {
    header.writeUInt32BE(dim, 4 + 4 * i);
  });
  return Buffer.concat([header, Uint8Array.from(data)]);
}

/** `images.idx3` and `labels.idx1` of noise in ten classes. */
export function writeNoise(folder: string, count: number, side: number): void {
  const random = new Random(1);
  const bytes = (length: number, bound: number) => Uint8Array.from({ length }, () => random.integer(bound));
  writeFileSync(join(folder, 'images.idx3'), idx([count, side, side], bytes(count * side * side, 256)));
  writeFileSync(join(folder, 'labels.idx1'), idx([count], bytes(count, 10)));
}
