// Why a layer is slow: its time beside what this machine could do at best, which is measured: the engine's integer
// product of a shape that suits it, and copying memory of several sizes.
import { matmulDynamic } from '../../native/matmul.js';
import { packWeights } from '../../native/packed_weights.js';

/** What this machine can do, measured. */
export interface MachineCeilings {
  /** Integer operations (a multiply-accumulate is two) of the best shape, 10⁹ a second. */
  readonly integerGops: number;
  /** Reading and writing memory, 10⁹ bytes a second, by the bytes that take part. */
  readonly copyGBs: readonly { readonly bytes: number; readonly value: number }[];
}

/** Time of one layer, beside what the machine can do. */
export interface LayerSpeed {
  /** The kernel alone, of one sample, in the fastest batch. */
  readonly nsPerSample: number;
  /** Of the time that all quantized layers take. */
  readonly share: number;
  readonly gops: number;
  /** Time at the ceiling over time taken. */
  readonly ofCeiling: number;
  /** Which ceiling is the nearer one: arithmetic, or moving inputs, outputs and weights once. */
  readonly bound: 'arithmetic' | 'memory';
}

/** Large enough that quantizing the left side does not count, small enough for the caches. */
const SHAPE = { m: 256, n: 1024, k: 1024 };
const COPY_BYTES = [2 ** 18, 2 ** 21, 2 ** 25];
/** The best of some: everything that disturbs makes it slower. */
const ROUNDS = 8;

function best(rounds: number, work: () => void): number {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    work();
    least = Math.min(least, performance.now() - start);
  }
  return least / 1e3;
}

/** Takes about 50 ms. */
export function measureCeilings(): MachineCeilings {
  const { m, n, k } = SHAPE;
  const weights = packWeights(new Float32Array(n * k).fill(1), [n, k]);
  const [x, out] = [new Float32Array(m * k).fill(1), new Float32Array(m * n)];
  const seconds = best(ROUNDS, () => matmulDynamic(x, weights, { out }));
  weights.dispose();
  const copyGBs = COPY_BYTES.map((bytes) => {
    const [from, to] = [new Uint8Array(bytes / 2).fill(1), new Uint8Array(bytes / 2)];
    const times = Math.max(1, 2 ** 22 / bytes);
    const each = best(ROUNDS, () => {
      for (let i = 0; i < times; i++) to.set(from);
    });
    return { bytes, value: (bytes * times) / each / 1e9 };
  });
  return { integerGops: (2 * m * n * k) / seconds / 1e9, copyGBs };
}

/** Of one layer and batch. */
export interface LayerWork {
  readonly macs: number;
  readonly bytes: number;
  readonly samples: number;
  readonly milliseconds: number;
}

/** The work of a layer's fastest batch as a figure beside the ceilings. `total`: ns a sample of all layers. */
export function speedOf(work: LayerWork, ceilings: MachineCeilings, total: number): LayerSpeed {
  const { macs, bytes, samples, milliseconds } = work;
  const seconds = milliseconds / 1e3;
  const copy = ceilings.copyGBs.find((level) => level.bytes >= bytes) ?? ceilings.copyGBs.at(-1);
  const arithmetic = (2 * macs) / (ceilings.integerGops * 1e9);
  const memory = bytes / ((copy?.value ?? Number.POSITIVE_INFINITY) * 1e9);
  const nsPerSample = (milliseconds * 1e6) / samples;
  return {
    nsPerSample,
    share: total === 0 ? 0 : nsPerSample / total,
    gops: (2 * macs) / seconds / 1e9,
    ofCeiling: Math.max(arithmetic, memory) / seconds,
    bound: arithmetic >= memory ? 'arithmetic' : 'memory',
  };
}
