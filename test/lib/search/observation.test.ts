// What the agent sees, against plain loops.
import assert from 'node:assert/strict';
import { Value } from '../../../lib/autograd/tape.js';
import { addon } from '../../../lib/native/addon.js';
import { Observer, STATISTICS, Standardizer } from '../../../lib/search/observation.js';
import { Memory } from '../../../lib/tensor/memory.js';
import { Random } from '../../../lib/tensor/random.js';

/** Sums of up to 600 numbers below 4 in magnitude in float32, relative to the result. */
const TOLERANCE = 600 * 2 ** -24 * 4;

function numbers(count: number, seed: number): Float32Array {
  const random = new Random(seed);
  // A third are zero, as after a ReLU.
  return Float32Array.from({ length: count }, () => (random.integer(3) === 0 ? 0 : random.uniform(-2, 3)));
}

function close(actual: number, wanted: number, what: string): void {
  assert.ok(
    Math.abs(actual - wanted) <= TOLERANCE * Math.max(1, Math.abs(wanted)),
    `${what}: ${actual}, not ${wanted}`,
  );
}

const deviation = (values: readonly number[]) => {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
};

describe('statistics of samples', () => {
  for (const [samples, places, channels] of [
    [1, 1, 1],
    [3, 7, 5],
    [2, 20, 29],
    [5, 17, 16],
  ] as const) {
    it(`are those of plain loops: ${samples} samples of ${places} × ${channels}`, () => {
      const x = numbers(samples * places * channels, places);
      const out = new Float32Array(samples * STATISTICS);
      addon.sampleStatistics(samples, places, channels, x, out);
      for (let s = 0; s < samples; s++) {
        const own = Array.from(x.subarray(s * places * channels, (s + 1) * places * channels));
        const peaks = Array.from({ length: channels }, (_, c) =>
          Math.max(...own.filter((_, i) => i % channels === c).map(Math.abs)),
        );
        const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
        const wanted = [
          Math.max(...own),
          Math.min(...own),
          mean(own),
          deviation(own),
          Math.sqrt(mean(own.map((value) => value * value))),
          own.filter((value) => value === 0).length / own.length,
          mean(peaks),
          deviation(peaks),
        ];
        // Deviations come from differences of squares: their error is the root of that of the squares.
        wanted.forEach((value, k) => {
          const got = out[s * STATISTICS + k] as number;
          if (k === 3 || k === 7) close(got * got, value * value, `statistic ${k}`);
          else close(got, value, `statistic ${k}`);
        });
      }
    });
  }

  it('of a sample do not depend on the others', () => {
    const x = numbers(4 * 6 * 16, 1);
    const all = new Float32Array(4 * STATISTICS);
    addon.sampleStatistics(4, 6, 16, x, all);
    const one = new Float32Array(STATISTICS);
    addon.sampleStatistics(1, 6, 16, x.slice(2 * 96, 3 * 96), one);
    assert.deepEqual(one, all.slice(2 * STATISTICS, 3 * STATISTICS));
  });

  it('refuse an array that is too short', () => {
    assert.throws(
      () => addon.sampleStatistics(2, 3, 4, new Float32Array(23), new Float32Array(16)),
      /sampleStatistics.*x/,
    );
  });
});

describe('adaptive average pooling', () => {
  it('is the mean of each cell, cells overlapping where sides do not divide', () => {
    const [n, h, w, c, rows, columns] = [2, 7, 5, 3, 4, 2];
    const x = numbers(n * h * w * c, 3);
    const y = new Float32Array(n * rows * columns * c);
    addon.adaptiveAveragePool(n, h, w, c, rows, columns, x, y);
    for (let s = 0, at = 0; s < n; s++) {
      for (let i = 0; i < rows; i++) {
        for (let j = 0; j < columns; j++) {
          for (let k = 0; k < c; k++, at++) {
            let [sum, count] = [0, 0];
            for (let p = Math.floor((i * h) / rows); p < Math.ceil(((i + 1) * h) / rows); p++) {
              for (let q = Math.floor((j * w) / columns); q < Math.ceil(((j + 1) * w) / columns); q++) {
                sum += x[((s * h + p) * w + q) * c + k] as number;
                count += 1;
              }
            }
            close(y[at] as number, sum / count, `cell ${i},${j} of sample ${s}`);
          }
        }
      }
    }
  });
});

describe('Observer', () => {
  it('sees the same of an image in either layout', () => {
    const [n, c, h, w] = [2, 3, 6, 6];
    const last = numbers(n * c * h * w, 4);
    const rows = new Float32Array(last.length);
    last.forEach((value, at) => {
      const [s, p, k] = [Math.floor(at / (c * h * w)), Math.floor((at % (c * h * w)) / c), at % c];
      rows[(s * c + k) * h * w + p] = value;
    });
    const observer = new Observer(4);
    const seen = [last, rows].map((data, i) => {
      const value = new Value([n, c, h, w], i === 0 ? 'channelsLast' : 'rows', Memory.borrow(data), false);
      const statistics = new Float32Array(n * STATISTICS);
      observer.statistics(value, n, statistics);
      return { statistics, picture: observer.picture(value, n) };
    });
    assert.deepEqual(seen[1], seen[0]);
    assert.equal(seen[0]?.picture.length, n * 4 * 4 * c);
  });

  it('takes the rows of a sample together', () => {
    const x = numbers(6 * 5, 5);
    const observer = new Observer(2);
    const flat = new Float32Array(2 * STATISTICS);
    observer.statistics(new Value([6, 5], 'rows', Memory.borrow(x), false), 2, flat);
    const tokens = new Float32Array(2 * STATISTICS);
    observer.statistics(new Value([2, 3, 5], 'rows', Memory.borrow(x), false), 2, tokens);
    assert.deepEqual(flat, tokens);
    assert.throws(
      () => observer.statistics(new Value([6, 5], 'rows', Memory.borrow(x), false), 4, flat),
      /whole samples/,
    );
  });

  it('standardises features, and makes zeros of what is not finite', () => {
    const rows = Float32Array.from([1, 7, 3, 7, 5, 7]);
    const scale = Standardizer.of(rows, 2);
    const out = new Float32Array(6);
    scale.apply(Float32Array.from([3, 7, Number.NaN, Number.POSITIVE_INFINITY, 1e9, 7]), out, 0, 2);
    assert.deepEqual(Array.from(out), [0, 0, 0, 0, 5, 0]);
  });
});
