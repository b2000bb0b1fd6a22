// `faultline bench model`: a whole network under several policies, beside ONNX Runtime.
import { basename } from 'node:path';
import { benchModel } from '../bench/model/bench_model.js';
import { loadModel } from '../graph/onnx/import.js';
import { defineCommand } from './command.js';
import { MODEL } from './model.js';
import { counts, list, positive, unless, wholeNumber } from './option.js';
import { readPolicy } from './policy.js';

const MOST_SAMPLES = 4096;
const MOST_THREADS = 1024;

export const command = defineCommand({
  name: 'bench model',
  arguments: MODEL,
  options: {
    batch: counts('samples at a time', MOST_SAMPLES, [1, 8, 32]),
    threads: counts('thread counts', MOST_THREADS, [1]),
    policy: list('<name,…>', 'fp32, W2A2 … W8A8, or policy files', { default: ['fp32', 'W8A8', 'W4A4'] }),
    rounds: wholeNumber('<n>', 'turns of every contender', 1, { default: 5, letter: 'r' }),
    roundMs: positive('<ms>', 'how long a turn lasts, at least', { default: 200 }),
    seed: wholeNumber('<n>', 'of the inputs', 0, { default: 0 }),
    peers: unless('faultline alone'),
  },
  out: 'optional',
  examples: [
    'faultline bench model model.onnx',
    'faultline bench model model.onnx --batch 1,32 --policy fp32,W8A8 --out runs/speed',
  ],
  async run({ arguments: { model }, options, signal, progress, typed, stage }) {
    const { batch: batches, threads, rounds, roundMs, seed, peers } = options;
    const { graph } = await loadModel(model);
    const policies = await Promise.all(
      [...new Set(options.policy)].map(async (name) =>
        name.toLowerCase() === 'fp32'
          ? { name: 'fp32', policy: undefined }
          : { name: basename(name), policy: await readPolicy(graph, name) },
      ),
    );
    const result = await benchModel(model, {
      ...{ command: typed, batches, threads, policies, rounds, roundMs, seed, peers, stage, signal },
      onProgress: (line) => progress.show(line.endsWith('checked'), () => line),
    });
    return { result, exitCode: result.failures.some(({ impl }) => impl === 'faultline') ? 1 : 0 };
  },
});
