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
  const { mitigation } = JSON.parse(stdout);
  const [clean, bright] = mitigation.filter(({ cure }) => cure === 'all kept');
  const cures = mitigation.filter(({ kept }) => kept).map(({ cure }) => cure);
  const row = { what, seed, clean, bright, cures, seconds };
  writeFileSync(kept, JSON.stringify(row));
  return row;
}

const two = (value) => value.toFixed(2);
const lines = expected.map((fields) => {
  const { what, seed, clean, bright, cures, seconds } = rowOf(fields);
  console.error(`${what} ${seed}: ${two(clean.after - clean.fpAccuracy)}`);
  const figures = [clean.fpAccuracy, clean.before, clean.after, clean.after - clean.fpAccuracy, clean.fpAfter];
  const others = [bright.fpAccuracy, bright.before, bright.after];
  return `| ${what} | ${seed} | ${[...figures, ...others].map(two).join(' | ')} | ${cures.join(', ')} | ${seconds.toFixed(1)} |`;
});
const { cpu, isa, threads } = inspect();
const text = `# Mitigation of networks that fail

\`node bench/mitigation.mjs\`: \`faultline mitigate\` as it is${flags.steps === undefined ? ' without options' : ` with --steps ${flags.steps}`}, \
resnet8 on Fashion-MNIST. Quantized figures are integers; accuracy in percent of the 10,000 test images.

| network | seed | fp32 | quantized | repaired | repaired − fp32 | repaired, fp32 | bright pixel: fp32 | quantized | repaired | cures kept | s |
| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: | --- | --: |
${lines.join('\n')}

${cpu.model}, ${isa.chosen}, ${threads.used} thread${threads.used === 1 ? '' : 's'}.
`;
if (flags.out !== undefined) writeFileSync(flags.out, text);
process.stdout.write(text);
