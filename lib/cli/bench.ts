// `faultline bench`: how fast the kernels are, beside other libraries and the machine's own ceilings.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { benchKernels, type Progress } from '../bench/kernels.js';
import { markdownReport } from '../bench/markdown.js';
import { napiOverhead } from '../bench/napi.js';
import type { Report } from '../bench/schema.js';
import { selectJobs } from '../bench/shapes.js';
import { benchTargets } from '../bench/targets.js';
import { figure, terminalReport } from '../bench/terminal.js';
import { InvalidArgumentError } from '../core/errors.js';
import { packageRoot } from '../core/package_root.js';
import { addBenchModelCommand } from './bench_model.js';

interface KernelsOptions {
  readonly threads: readonly number[];
  readonly filter: readonly string[];
  readonly shapes: readonly string[];
  readonly quick?: true;
  readonly targets?: true;
  readonly isa?: string;
  readonly json?: string;
  readonly md?: string;
}

function parseThreads(text: string): number[] {
  const counts = text.split(',').map(Number);
  if (counts.some((count) => !Number.isInteger(count) || count < 1 || count > 1024)) {
    throw new InvalidArgumentError('bench', '--threads', 'numbers from 1 to 1024, separated by commas', text);
  }
  return [...new Set(counts)];
}

const collect = (text: string, seen: readonly string[]): string[] => [...seen, text];

/** A line that overwrites itself on a terminal, a plain line for each job elsewhere. */
function showProgress({ done, total, next }: Progress): void {
  const text = next ? `[${done + 1}/${total}] ${next.op} ${next.shape}` : '';
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text.slice(0, 79)}`);
  else if (text !== '') process.stderr.write(`${text}\n`);
}

function write(report: Report, options: KernelsOptions): void {
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(report, null, 1)}\n`);
  if (options.md !== undefined) writeFileSync(options.md, markdownReport(report));
}

async function kernels(options: KernelsOptions): Promise<void> {
  const folder = join(packageRoot(), 'bench', 'shapes');
  const command = ['faultline', ...process.argv.slice(2)].join(' ');
  const common = { quick: options.quick ?? false, command, onProgress: showProgress };
  let report: Report;
  if (options.targets) {
    if (options.shapes.length > 0 || options.isa !== undefined) {
      const received = options.isa === undefined ? '--shapes' : '--isa';
      throw new InvalidArgumentError(
        'bench',
        '--targets',
        'the shapes and instruction sets the targets name',
        received,
      );
    }
    report = await benchTargets(selectJobs(folder, { files: ['peers'], filters: options.filter }), common);
  } else {
    // A quick run without further wishes measures the quick set; any wish applies to all shapes.
    const quickSet = options.quick && options.shapes.length === 0 && options.filter.length === 0;
    const jobs = selectJobs(folder, { files: quickSet ? ['quick'] : options.shapes, filters: options.filter });
    report = await benchKernels({ ...common, jobs, threads: options.threads, isa: options.isa });
  }
  process.stdout.write(terminalReport(report));
  write(report, options);
  if (report.failures.some((failure) => failure.impl === 'faultline')) process.exitCode = 1;
}

async function napi(): Promise<void> {
  const { shape, javascriptUs, nativeUs, overheadUs } = await napiOverhead();
  process.stdout.write(
    `matmulDynamic ${shape}: ${figure(javascriptUs)} µs from JavaScript, ${figure(nativeUs)} µs in C++: ` +
      `${figure(overheadUs)} µs for the way there and back\n`,
  );
}

export function addBenchCommand(program: Command): void {
  const bench = program.command('bench').description('measure speed');
  bench
    .command('kernels')
    .description('every operation beside oneDNN, ONNX Runtime and the ceilings of this machine')
    .option('--threads <n,…>', 'thread counts to measure with', parseThreads, [1])
    .option('--filter <regexp>', 'only where "op shape sets" matches; may be repeated', collect, [])
    .option('--shapes <set or file>', 'a set of bench/shapes, or a file; may be repeated', collect, [])
    .option('--quick', 'a few shapes, few rounds: under 20 seconds')
    .option('--targets', 'measure what the project aims at, and judge it')
    .option('--isa <name>', 'hold faultline and oneDNN to an instruction set')
    .option('--json <file>', 'write the report, schema faultline.bench/1')
    .option('--md <file>', 'write the report as Markdown')
    .action(kernels);
  addBenchModelCommand(bench);
  bench.command('napi').description('what a small call from JavaScript costs beyond its native work').action(napi);
}
