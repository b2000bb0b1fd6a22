// Makes the report of scripts/cuda-verify.sh from its lines: node bench/cuda/report.mjs lines.jsonl out
// Writes out.json (all lines) and out.md: checks, targets, figures. Exits with 1 when a check failed.
import { readFileSync, writeFileSync } from 'node:fs';
import { table } from '../../dist/lib/report/document.js';
import { markdownTable } from '../../dist/lib/report/markdown.js';

const [linesFile, out] = process.argv.slice(2);
const lines = readFileSync(linesFile, 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('{'))
  .map((line) => JSON.parse(line));
const checks = lines.filter(({ check }) => check);
const figures = lines.filter(({ us }) => us !== undefined);
const absent = lines.filter(({ absent }) => absent);

const time = (op, shape, who) => figures.find((f) => f.op === op && f.shape === shape && f.who === who)?.us;
const ratio = (a, b) => (a === undefined || b === undefined ? undefined : a / b);
const shapes = (op) => [...new Set(figures.filter((f) => f.op === op).map((f) => f.shape))];

/** Least ratio over shapes, and where. */
function worst(op, theirs, ours) {
  const all = shapes(op).flatMap((shape) => {
    const value = ratio(time(op, shape, theirs), time(op, shape, ours));
    return value === undefined ? [] : [{ value, shape }];
  });
  return all.sort((a, b) => a.value - b.value)[0];
}

const cube = '4096 4096 4096';
const policies = shapes('policies')[0];
const product = ratio(
  time('matmul.s32', cube, 'cuBLASLt') ?? time('matmul.s32', cube, 'torch._int_mm'),
  time('matmul.s32', cube, 'faultline'),
);
const composed = ['PyTorch', 'PyTorch, compiled'].map((who) => time('matmul.dynamic', cube, who)).filter(Boolean);
const dynamic = ratio(composed.length ? Math.min(...composed) : undefined, time('matmul.dynamic', cube, 'int8'));
const conv = worst('conv.dynamic', 'PyTorch bf16', 'faultline');
const few = worst('matmul.few', 'int8', 'int4');
const sweep = ratio(time('policies', policies, 'cpu'), time('policies', policies, 'cuda'));
const failed = checks.filter(({ passed }) => passed === false);
const exact = checks.filter(({ check }) => check.startsWith('exactness'));

const target = (what, least, measured) => {
  const state = measured === undefined ? 'not measured' : measured >= least ? 'met' : 'missed';
  return { what, target: `≥ ${least}×`, measured: measured === undefined ? '–' : `${measured.toFixed(2)}×`, state };
};
const bits = exact.length === 0 ? 'not checked' : exact.every(({ passed }) => passed) ? 'met' : 'missed';
const targets = [
  target('int8 matmul 4096³, s32 out, beside cuBLASLt int8', 0.8, product),
  target('dynamic matmul 4096³ beside the faster PyTorch composition', 2, dynamic),
  target(`conv.dynamic, resnet18 layers, batch 256, beside PyTorch bf16; worst: ${conv?.shape ?? '–'}`, 0.7, conv?.value),
  target(`int4 beside int8, few rows; worst: ${few?.shape ?? '–'}`, 1.6, few?.value),
  target(`${policies ?? '1,024 policies × 10,000 images'}, resnet8, beside two cores`, 20, sweep),
  { what: 'bits of the CPU on the whole exactness suite', target: 'identical', measured: '', state: bits },
];
const targetTable = table({ name: 'targets', caption: 'Targets' }, targets, [
  ['what', 'what', 'text', ({ what }) => what],
  ['target', 'target', 'text', ({ target: least }) => least],
  ['measured', 'measured', 'text', ({ measured }) => measured],
  ['state', 'state', 'text', ({ state }) => state],
]);
const resultOf = ({ passed, note }) =>
  `${passed === undefined ? 'skipped' : passed ? 'passed' : 'FAILED'}${note ? `: ${note}` : ''}`;
const checkTable = table({ name: 'checks', caption: 'Checks' }, checks, [
  ['check', 'check', 'text', ({ check }) => check],
  ['result', 'result', 'text', resultOf],
  ['seconds', 'time', 'seconds', ({ seconds }) => (seconds === undefined ? undefined : Number(seconds))],
]);
const figureTable = table({ name: 'figures', caption: 'Figures' }, figures, [
  ['op', 'op', 'text', ({ op }) => op],
  ['shape', 'shape', 'text', ({ shape }) => shape],
  ['who', 'who', 'text', ({ who }) => who],
  ['us', 'µs', 'number', ({ us }) => us],
]);
const environment = lines
  .filter((line) => line.environment || line.device || line.torch)
  .map((line) => `- ${line.environment ?? JSON.stringify(line)}`);
const missing = absent.map((each) => `${each.who ?? each.op} (${each.op}: ${each.absent})`);
const markdown = `${[
  `# CUDA: ${lines.find(({ device }) => device)?.device ?? 'no device'}`,
  environment.join('\n'),
  ...['## Targets', markdownTable(targetTable)],
  ...['## Checks', markdownTable(checkTable)],
  ...['## Figures', 'Medians, microseconds a call.', markdownTable(figureTable)],
  ...(missing.length > 0 ? [`Absent: ${missing.join('; ')}`] : []),
].join('\n\n')}\n`;

writeFileSync(`${out}.json`, `${JSON.stringify({ schema: 'faultline.cuda/1', lines }, null, 2)}\n`);
writeFileSync(`${out}.md`, markdown);
process.stdout.write(markdown);
process.exitCode = failed.length > 0 ? 1 : 0;
