// What `faultline mitigate` makes of networks that fail, as a user would run it, a row each:
//   node bench/mitigation.mjs 'gauge,10,runs/a/gauge.onnx,W8A8' 'static pair,10,runs/b/detrimental-static.onnx,…/policy.json' …
// (what it is, seed, network, policy) [--steps N] [--runs runs/mitigation] [--out bench/results/mitigation.md]
// Cures learn from, and are chosen on, training images without labels; accuracy is that of the 10,000 test images. Seconds
// are those of the whole command, loading, judging and the report included.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { inspect } from 'faultline/engine';
import { table } from '../dist/lib/report/document.js';
import { markdownTable } from '../dist/lib/report/markdown.js';

const { values: flags, positionals: networks } = parseArgs({
  allowPositionals: true,
  options: {
    steps: { type: 'string' },
    runs: { type: 'string', default: 'runs/mitigation' },
    out: { type: 'string' },
  },
});
const MAIN = join(import.meta.dirname, '..', 'dist', 'lib', 'cli', 'main.js');
const expected = networks.map((network) => network.split(','));
if (expected.length === 0 || expected.some((fields) => fields.length !== 4)) {
  throw new Error("bench/mitigation.mjs: expected 'WHAT,SEED,MODEL.onnx,POLICY' …");
}

function rowOf([what, seed, model, policy]) {
  const out = join(flags.runs, `${what.replaceAll(/\W+/g, '-')}-${seed}`);
  const kept = join(out, 'figures.json');
  if (existsSync(kept)) return JSON.parse(readFileSync(kept, 'utf8'));
  const steps = flags.steps === undefined ? [] : ['--steps', flags.steps];
  const args = ['mitigate', model, '--data', 'fashion-mnist', '--policy', policy, '--seed', seed, '--out', out, ...steps];
  const start = performance.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args, '--json'], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`faultline ${args.join(' ')}: exit code ${status}\n${stderr}`);
  const seconds = (performance.now() - start) / 1e3;
  const { judgements, cures: tried } = JSON.parse(stdout);
  const { clean, brightPixel: bright } = judgements;
  const cures = tried.filter(({ kept: helped }) => helped).map(({ cure }) => cure);
  const row = { what, seed, clean, bright, cures, seconds };
  writeFileSync(kept, JSON.stringify(row));
  return row;
}

const rows = expected.map((fields) => {
  const row = rowOf(fields);
  console.error(`${row.what} ${row.seed}: ${(row.clean.after - row.clean.fp).toFixed(2)}`);
  return row;
});
const shown = table({ name: 'mitigation', caption: 'Mitigation' }, rows, [
  ['network', 'network', 'text', ({ what }) => what],
  ['seed', 'seed', 'count', ({ seed }) => Number(seed)],
  ['fp', 'fp32', 'percent', ({ clean }) => clean.fp],
  ['before', 'quantized', 'percent', ({ clean }) => clean.before],
  ['after', 'repaired', 'percent', ({ clean }) => clean.after],
  ['gap', 'repaired − fp32', 'points', ({ clean }) => clean.after - clean.fp],
  ['fpAfter', 'repaired, fp32', 'percent', ({ clean }) => clean.fpAfter],
  ['bright', 'bright pixel: fp32', 'percent', ({ bright }) => bright.fp],
  ['brightBefore', 'quantized', 'percent', ({ bright }) => bright.before],
  ['brightAfter', 'repaired', 'percent', ({ bright }) => bright.after],
  ['cures', 'cures kept', 'text', ({ cures }) => cures.join(', ')],
  ['seconds', 'time', 'seconds', ({ seconds }) => seconds],
]);
const { cpu, isa, threads } = inspect();
const text = `# Mitigation of networks that fail

\`node bench/mitigation.mjs\`: \`faultline mitigate\` as it is${flags.steps === undefined ? ' without options' : ` with --steps ${flags.steps}`}, \
resnet8 on Fashion-MNIST. Quantized figures are integers; accuracy in percent of the 10,000 test images.

${markdownTable(shown)}

${cpu.model}, ${isa.chosen}, ${threads.used} thread${threads.used === 1 ? '' : 's'}.
`;
if (flags.out !== undefined) writeFileSync(flags.out, text);
process.stdout.write(text);
