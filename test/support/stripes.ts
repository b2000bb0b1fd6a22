// A small data set that a small network learns: noisy stripes whose direction and width is the class, as a .npz file.
import { writeFileSync } from 'node:fs';
import { zipSync } from 'fflate';
import { Random } from '../../lib/tensor/random.js';
import { npy } from './npy.js';

export const STRIPES_SIDE = 12;
export const STRIPES_CLASSES = 4;

function images(count: number, random: Random): { pixels: Uint8Array; labels: Uint8Array } {
  const pixels = new Uint8Array(count * STRIPES_SIDE ** 2);
  const labels = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const label = random.integer(STRIPES_CLASSES);
    labels[i] = label;
    const [across, period, phase] = [label % 2 === 0, label < 2 ? 4 : 8, random.integer(8)];
    for (let y = 0; y < STRIPES_SIDE; y++) {
      for (let x = 0; x < STRIPES_SIDE; x++) {
        const on = ((across ? x : y) + phase) % period < period / 2;
        pixels[(i * STRIPES_SIDE + y) * STRIPES_SIDE + x] = (on ? 160 : 60) + random.integer(64);
      }
    }
  }
  return { pixels, labels };
}

/** Writes x_train, y_train, x_test and y_test. */
export function writeStripes(path: string, train: number, test: number): void {
  const random = new Random(7);
  const [learned, held] = [images(train, random.split('train')), images(test, random.split('test'))];
  const shape = (count: number) => [count, STRIPES_SIDE, STRIPES_SIDE, 1];
  const files = {
    'x_train.npy': npy('|u1', shape(train), learned.pixels),
    'y_train.npy': npy('|u1', [train], learned.labels),
    'x_test.npy': npy('|u1', shape(test), held.pixels),
    'y_test.npy': npy('|u1', [test], held.labels),
  };
  writeFileSync(path, zipSync(files, { level: 0 }));
}
