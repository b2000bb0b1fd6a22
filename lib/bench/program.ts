// Runs faultline_bench, the native program that measures (bench/native/), and reads its output line by line.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { InvalidArgumentError } from '../core/errors.js';
import { packageRoot } from '../core/package_root.js';
import { type NativeMessage, nativeMessageSchema } from './schema.js';

function benchProgram(): string {
  const file = join(packageRoot(), 'build', 'Release', 'faultline_bench');
  if (!existsSync(file)) throw new Error(`bench: expected the program ${file}, received none: run \`npm run build\``);
  return file;
}

/** The CPU library inside the npm package onnxruntime-node; undefined where that is not installed. */
export function onnxRuntimeLibrary(): string | undefined {
  let bin: string;
  try {
    bin = join(dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json')), 'bin');
  } catch {
    return undefined;
  }
  return readdirSync(bin)
    .map((api) => join(bin, api, process.platform, process.arch, 'libonnxruntime.so.1'))
    .find((file) => existsSync(file));
}

// The widest instruction set oneDNN may use when faultline is set to this one.
const ONEDNN_ISA: Readonly<Record<string, string>> = {
  scalar: 'SSE41',
  avx2: 'AVX2',
  avx512vnni: 'AVX512_CORE_VNNI',
};

interface NativeRun {
  /** Lines as Job.line, with threads. */
  readonly lines: readonly string[];
  /** Thread counts to measure the machine's ceilings with. */
  readonly ceilings: readonly number[];
  readonly quick: boolean;
  /** Overrides the choice of kernels, ours and oneDNN's. */
  readonly isa?: string | undefined;
  readonly onnxRuntime?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Yields every message of one run. Throws when the program refuses its input or dies. */
export async function* runNative(run: NativeRun): AsyncGenerator<NativeMessage> {
  const args = run.ceilings.flatMap((count) => ['--ceilings', String(count)]);
  if (run.quick) args.push('--quick');
  if (run.onnxRuntime !== undefined) args.push('--onnxruntime', run.onnxRuntime);
  const env = { ...process.env };
  if (run.isa !== undefined) {
    env.FAULTLINE_ISA = run.isa;
    const cap = ONEDNN_ISA[run.isa];
    if (cap !== undefined) env.ONEDNN_MAX_CPU_ISA = cap;
  }
  const child = spawn(benchProgram(), args, { env, stdio: ['pipe', 'pipe', 'pipe'], signal: run.signal });
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal }));
  });
  ended.catch(() => {}); // awaited below; until then a failure to start is not unhandled
  let complaints = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints += text;
  });
  child.stdin.on('error', () => {}); // it may refuse and leave before it has read everything
  child.stdin.end(run.lines.map((line) => `${line}\n`).join(''));
  let last: NativeMessage | undefined;
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      last = nativeMessageSchema.parse(JSON.parse(line));
      yield last;
    }
    const { code, signal } = await ended;
    const refusal = complaints.trim().replace(/^faultline_bench: /, '');
    if (code === 2) {
      const [, operation, argument, expected, received] =
        /^(\w+): (.*): expected (.*), received (.*)$/s.exec(refusal) ?? [];
      if (received === undefined) throw new Error(refusal);
      throw new InvalidArgumentError(operation ?? '', argument ?? '', expected ?? '', received);
    }
    if (code !== 0) {
      const job = run.lines[last?.type === 'done' ? last.job + 1 : 0] ?? '';
      throw new Error(`bench: faultline_bench ended with ${signal ?? `status ${code}`} near "${job}": ${refusal}`);
    }
  } finally {
    child.kill();
  }
}
