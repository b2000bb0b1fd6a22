// `faultline quantize`: a model under a policy, as an ONNX file that other runtimes run.

import { existsSync } from 'node:fs';
import { realpath, rename, writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { InvalidArgumentError } from '../core/errors.js';
import { formatScheme } from '../format/scheme.js';
import { type ExportedModel, exportQuantized } from '../quant/export_quantized.js';
import { wrapText } from '../report/text.js';
import { readGraph } from './model.js';
import { blockSizeOption, type GranularityFlags, granularityOf, readPolicy } from './policy.js';

interface QuantizeFlags extends GranularityFlags {
  readonly policy: string;
  readonly exclude?: readonly string[];
  readonly format: string;
  readonly reduceRange?: true;
  readonly out: string;
  readonly json?: true;
}

const FORMATS = ['integer', 'qdq'] as const;

const plural = (count: number) => (count === 1 ? '1 node' : `${count} nodes`);

/** How many nodes take which form, then every remark with the nodes it is about. */
function exportText({ nodes }: ExportedModel, out: string, bytes: { readonly before: number; readonly after: number }) {
  const forms = new Map<string, number>();
  const remarks = new Map<string, string[]>();
  for (const { node, form, remarks: own } of nodes) {
    forms.set(form, (forms.get(form) ?? 0) + 1);
    for (const remark of own) remarks.set(remark, [...(remarks.get(remark) ?? []), node]);
  }
  const kib = (count: number) => `${(count / 1024).toFixed(0)} KiB`;
  return [
    `${out}: ${kib(bytes.after)} (was ${kib(bytes.before)}); ${[...forms].map(([form, count]) => `${form} ${count}`).join(', ')}`,
    'activation ranges: at run time, one for a whole batch; measured here are batches of one',
    ...[...remarks].map(([remark, names]) => `${plural(names.length)}: ${remark} (${names.join(', ')})`),
  ];
}

async function quantizeCommand(model: string, flags: QuantizeFlags): Promise<void> {
  const format = FORMATS.find((name) => name === flags.format);
  if (!format) throw new InvalidArgumentError('quantize', '--format', FORMATS.join(' or '), flags.format);
  const granularity = granularityOf(flags);
  if (existsSync(flags.out) && (await realpath(flags.out)) === (await realpath(model))) {
    throw new InvalidArgumentError('quantize', '--out', 'another file than the model', flags.out);
  }
  const graph = await readGraph(model);
  const policy = await readPolicy(graph, flags.policy, flags.exclude);
  const exported = exportQuantized(graph, policy, { format, granularity, reduceRange: flags.reduceRange });
  await writeFile(`${flags.out}.unfinished`, exported.bytes);
  await rename(`${flags.out}.unfinished`, flags.out);
  const before = [...graph.initializers.values()].reduce((sum, { data }) => sum + (data as Float32Array).byteLength, 0);
  const nodes = exported.nodes.map(({ bits, ...rest }) => ({ ...rest, bits: bits && formatScheme(bits) }));
  const report = { schema: 'faultline.quantize/1', model, out: flags.out, bytes: exported.bytes.length, format, nodes };
  const lines = exportText(exported, flags.out, { before, after: exported.bytes.length });
  const text = lines.flatMap((line) => wrapText(line, '  ')).join('\n');
  process.stdout.write(`${flags.json ? JSON.stringify(report) : text}\n`);
}

export function addQuantizeCommand(program: Command): void {
  program
    .command('quantize')
    .argument('<model.onnx>')
    .description('write the model under a policy as ONNX that other runtimes run')
    .option('--policy <bits or file>', 'W2A2 … W8A8, or a faultline.policy/1 file', 'W8A8')
    .option('--exclude <nodes...>', 'quantizable nodes to leave in float32')
    .option('--per-channel', 'a weight scale for each output channel (default)')
    .option('--per-tensor', 'one weight scale for each node')
    .option('--block-size <n>', 'a weight scale for each block of n weights: a power of two from 16', blockSizeOption)
    .option('--format <name>', 'integer: integer operators where there are any; qdq: float32 on codes', 'integer')
    .option('--reduce-range', '8-bit weights in −64 … 64, for processors without VNNI')
    .requiredOption('--out <file>', 'the .onnx file to write')
    .option('--json', 'what became of each node as JSON on stdout')
    .action(quantizeCommand);
}
