// Training steps beside PyTorch's: the same networks, batch and threads. node dist/bench/training/compare.js
// [network …] [--threads 1,2] [--steps 20]. PyTorch is the system's python3-torch; where it is absent the table says so.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { packageRoot } from '../../lib/core/package_root.js';
import type { ImageSet } from '../../lib/data/image_set.js';
import { type ArchitectureName, buildModel } from '../../lib/models/index.js';
import { setThreads } from '../../lib/native/threads.js';
import { Random } from '../../lib/tensor/random.js';
import { train } from '../../lib/train/train.js';

const BATCH = 128;
/** The first steps make primitives and take memory. */
const WARM_UP = 3;
const TORCH_ABSENT = 3;

interface Times {
  readonly medianMs: number;
  readonly bestMs: number;
}

function images(count: number, channels: number, size: number): ImageSet {
  const random = new Random(1);
  const pixels = Uint8Array.from({ length: count * channels * size * size }, () => random.integer(256));
  return { count, height: size, width: size, channels, pixels, labels: new Int32Array(count).map((_, i) => i % 10) };
}

async function ours(name: ArchitectureName, threads: number, steps: number): Promise<Times> {
  setThreads(threads);
  const graph = buildModel(name);
  const [, channels, size] = (graph.inputs[0]?.dims ?? []) as [string, number, number];
  const set = images((steps + WARM_UP) * BATCH, channels, size);
  const times: number[] = [];
  let last = performance.now();
  await train(graph, set, {
    epochs: 1,
    batchSize: BATCH,
    optimizer: { kind: 'adam', rate: 1e-3 },
    schedule: { kind: 'constant' },
    seed: 1,
    normalization: { mean: new Array(channels).fill(0.5), std: new Array(channels).fill(0.25) },
    onProgress: () => {
      const now = performance.now();
      times.push(now - last);
      last = now;
    },
  });
  const sorted = times.slice(WARM_UP).sort((a, b) => a - b);
  return { medianMs: sorted[sorted.length >> 1] as number, bestMs: sorted[0] as number };
}

function torchs(name: string, threads: number, steps: number, layout: string): Times | undefined {
  const script = join(packageRoot(), 'bench', 'training', 'torch_step.py');
  const args = [script, name, String(BATCH), String(threads), String(steps), layout];
  const result = spawnSync('/usr/bin/python3', args, { encoding: 'utf8' });
  if (result.error || result.status === TORCH_ABSENT) return undefined;
  if (result.status !== 0) throw new Error(result.stderr);
  return JSON.parse(result.stdout) as Times;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { threads: { type: 'string', default: '1,2' }, steps: { type: 'string', default: '20' } },
});
const names = positionals.length > 0 ? positionals : ['resnet8', 'resnet20', 'resnet18-cifar'];
const steps = Number(values.steps);
const cell = ({ medianMs, bestMs }: Times) => `${medianMs.toFixed(1)} (${bestMs.toFixed(1)})`.padStart(18);
process.stdout.write(`ms a step of ${BATCH} images, median (best); ratios of the best\n`);
for (const name of names) {
  for (const threads of values.threads.split(',').map(Number)) {
    const own = await ours(name as ArchitectureName, threads, steps);
    let line = `${name.padEnd(15)} ${threads} threads  faultline ${cell(own)}`;
    for (const layout of ['nchw', 'nhwc']) {
      const other = torchs(name, threads, steps, layout);
      const ratio = other && `${(other.bestMs / own.bestMs).toFixed(2)}×`;
      line += other
        ? `  PyTorch ${layout} ${cell(other)} ${ratio}`
        : `  PyTorch ${layout}: absent, install python3-torch`;
    }
    process.stdout.write(`${line}\n`);
  }
}
