// `faultline bench model`: a whole network under several policies, beside ONNX Runtime.
import { basename } from 'node:path';
import type { Command } from 'commander';
import { benchModel } from '../bench/model/bench_model.js';
import { FORMATS, type Format, modelOutput } from '../bench/model/output.js';
import { InvalidArgumentError } from '../core/errors.js';
import { loadModel } from '../graph/onnx/import.js';
import { integerOption, numberOption } from './options.js';
import { readPolicy } from './policy.js';
import { Progress } from './progress.js';

interface BenchModelFlags {
  readonly batch: readonly number[];
  readonly threads: readonly number[];
  readonly policy: readonly string[];
  readonly rounds: number;
  readonly roundMs: number;
  readonly seed: number;
  readonly peers: boolean;
  readonly output: Format;
}

function countsOption(name: string, most: number): (text: string) => number[] {
  return (text) => {
    const counts = text.split(',').map(Number);
    if (!counts.every((count) => Number.isInteger(count) && count >= 1 && count <= most)) {
      throw new InvalidArgumentError('bench model', name, `numbers from 1 to ${most}, separated by commas`, text);
    }
    return [...new Set(counts)];
  };
}

function formatOption(text: string): Format {
  const format = FORMATS.find((name) => name === text);
  if (!format) throw new InvalidArgumentError('bench model', '--output', FORMATS.join(', '), text);
  return format;
}

async function benchModelCommand(model: string, flags: BenchModelFlags): Promise<void> {
  const { graph } = await loadModel(model);
  const names = [...new Set(flags.policy)];
  const policies: { name: string; policy: Awaited<ReturnType<typeof readPolicy>> | undefined }[] = [];
  for (const name of names) {
    const float = name.toLowerCase() === 'fp32';
    policies.push(
      float ? { name: 'fp32', policy: undefined } : { name: basename(name), policy: await readPolicy(graph, name) },
    );
  }
  const abort = new AbortController();
  const stop = () => abort.abort(new Error('interrupted'));
  process.once('SIGINT', stop).once('SIGTERM', stop);
  const line = new Progress();
  try {
    const report = await benchModel(model, {
      command: ['faultline', ...process.argv.slice(2)].join(' '),
      batches: flags.batch,
      threads: flags.threads,
      policies,
      rounds: flags.rounds,
      roundMs: flags.roundMs,
      seed: flags.seed,
      peers: flags.peers,
      signal: abort.signal,
      onProgress: (text) => line.show(text.endsWith('checked'), () => text),
    });
    line.end();
    process.stdout.write(modelOutput(report, flags.output));
    if (report.failures.some(({ impl }) => impl === 'faultline')) process.exitCode = 1;
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
}

export function addBenchModelCommand(bench: Command): void {
  bench
    .command('model')
    .argument('<model.onnx>')
    .description('a whole network: throughput, latency, memory, time by layer, beside ONNX Runtime')
    .option('--batch <n,…>', 'samples at a time', countsOption('--batch', 4096), [1, 8, 32])
    .option('--threads <n,…>', 'thread counts', countsOption('--threads', 1024), [1])
    .option('--policy <name,…>', 'fp32, W2A2 … W8A8, or policy files', (text) => text.split(','), [
      'fp32',
      'W8A8',
      'W4A4',
    ])
    .option('-r, --rounds <n>', 'turns of every contender', integerOption('--rounds', 1), 5)
    .option('--round-ms <ms>', 'how long a turn lasts, at least', numberOption('--round-ms'), 200)
    .option('--seed <n>', 'of the inputs', integerOption('--seed', 0), 0)
    .option('--no-peers', 'faultline alone')
    .option('-o, --output <format>', FORMATS.join(', '), formatOption, 'text')
    .action(benchModelCommand);
}
