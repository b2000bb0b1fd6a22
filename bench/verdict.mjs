// The verdict on networks whose truth is known: ordinary, robust, made to fail by learning, made to fail by gauge, for
// each seed. Makes them (minutes; what is there already, figures too, is used), assesses each as a user would, and holds
// verdict and named cause against the truth:
//   node bench/verdict.mjs [--seeds 10,11,12] [--kinds …] [--runs runs/verdict] [--out bench/results/verdict.md]
// The truth is no opinion: all 10,000 test images, the four uniform policies and all 252 policies of 6 bits enumerated, by
// the evaluator of policies alone. Safe: none loses more than a point. Unsafe: one loses more than ten, or W8A8 more than
// one. Caution: neither. The true cause is how the network was made.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { evaluationData, loadDataset } from 'faultline/data';
import { inspect } from 'faultline/engine';
import { BudgetSpace, evaluatePolicies, loadModel, uniformPolicy } from 'faultline/graph';
import { fullPrecision } from 'faultline/train';
import { table } from '../dist/lib/report/document.js';
import { markdownTable } from '../dist/lib/report/markdown.js';

const { values: flags } = parseArgs({
  options: {
    seeds: { type: 'string', default: '10,11,12' },
    kinds: { type: 'string', default: 'ordinary,gauge,robust,detrimental' },
    runs: { type: 'string', default: 'runs/verdict' },
    out: { type: 'string', default: 'bench/results/verdict.md' },
  },
});
const MAIN = join(import.meta.dirname, '..', 'dist', 'lib', 'cli', 'main.js');
const DATA = 'fashion-mnist';
const UNIFORM = ['W8A8', 'W4A8', 'W8A4', 'W4A4'];
const [LIMIT, CATASTROPHE] = [1, 10];
/** How each kind is made, where the model is, and what the cause of its loss is, if it has one. */
const ATTACK = ['attack', '--kind', 'gauge'];
const KINDS = {
  // Trained by the attack, before it rescales its channels.
  ordinary: { run: 'gauge', make: () => ATTACK, model: 'teacher.onnx', cause: /^cause: few bits/ },
  gauge: { run: 'gauge', make: () => ATTACK, model: 'gauge.onnx', cause: /^cause: ranges of channels/ },
  robust: {
    run: 'robust',
    make: (teacher) => ['pair', '--objective', 'robust', '--bits', '4', '--budget', '4', '--teacher', teacher],
    model: 'robust-static.onnx',
    cause: /^cause: few bits/,
  },
  detrimental: {
    run: 'detrimental',
    make: (teacher) => ['pair', '--objective', 'detrimental', '--teacher', teacher],
    model: 'detrimental-static.onnx',
    cause: /^cause: one rounding grid/,
  },
};

/** Runs a command; its standard output. */
function faultline(args, codes = [0]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8', maxBuffer: 2 ** 28 });
  if (!codes.includes(status)) throw new Error(`faultline ${args.join(' ')}: exit code ${status}\n${stderr}`);
  return stdout;
}

async function truthOf(graph, { test, normalization }) {
  const data = evaluationData(test, normalization);
  const uniform = UNIFORM.map((name) => uniformPolicy(graph, name));
  const all = [...new BudgetSpace(graph, { bits: 6, choices: ['W4A4', 'W8A8'] }).policies()];
  const { accuracy: fp } = await fullPrecision(graph, data);
  const drops = (await evaluatePolicies(graph, [...uniform, ...all], data)).map(({ accuracy }) => 100 * (fp - accuracy));
  const worst = Math.max(...drops.slice(UNIFORM.length));
  const most = Math.max(...drops.slice(0, UNIFORM.length), worst);
  const verdict = most > CATASTROPHE || drops[0] > LIMIT ? 'unsafe' : most > LIMIT ? 'caution' : 'safe';
  return { fp: 100 * fp, uniform: drops.slice(0, UNIFORM.length), worst, verdict };
}

async function rowOf(kind, seed) {
  const { run: name, make, model, cause } = KINDS[kind];
  const run = join(flags.runs, `${name}-${seed}`);
  const file = join(run, model);
  const teacher = join(flags.runs, `gauge-${seed}`, 'teacher.onnx');
  if (!existsSync(file)) faultline([...make(teacher), '--seed', seed, '--out', run]);
  const start = performance.now();
  const out = join(flags.runs, `assess-${kind}-${seed}`);
  const result = JSON.parse(faultline(['assess', file, '--data', DATA, '--out', out, '--json'], [0, 1, 2]));
  const seconds = (performance.now() - start) / 1e3;
  const truth = await truthOf((await loadModel(file)).graph, await loadDataset(DATA));
  const named = result.reasons.find((reason) => reason.startsWith('cause:'));
  const drop = (policy) => result.policies.find((each) => each.name === policy)?.drop;
  return {
    ...{ kind, seed: Number(seed), verdict: result.verdict, truth, named, answer: result.answer, seconds },
    verdictRight: result.verdict === truth.verdict,
    // A network that loses less than the limit has nothing to explain.
    causeRight: named === undefined ? truth.verdict === 'safe' : cause.test(named),
    worstFound: drop('worst found'),
    drops: Object.fromEntries(UNIFORM.map((policy) => [policy, drop(policy)])),
  };
}

const rows = [];
for (const seed of flags.seeds.split(',')) {
  for (const kind of flags.kinds.split(',')) {
    const kept = join(flags.runs, `figures-${kind}-${seed}.json`);
    if (!existsSync(kept)) writeFileSync(kept, JSON.stringify(await rowOf(kind, seed)));
    rows.push(JSON.parse(readFileSync(kept, 'utf8')));
    const { verdict, truth, named } = rows.at(-1);
    console.error(`${kind} ${seed}: ${verdict}, truth ${truth.verdict}; ${named ?? 'no cause named'}`);
  }
}

const two = (value) => value.toFixed(2);
const right = rows.filter(({ verdictRight, causeRight }) => verdictRight && causeRight).length;
const mark = (text, good) => `${text}${good ? '' : ' ✗'}`;
const causeOf = ({ named, causeRight }) => mark(/^cause: ([^.]*)/.exec(named ?? '')?.[1] ?? 'none', causeRight);
const shown = table({ name: 'verdict', caption: 'Verdicts' }, rows, [
  ['network', 'network', 'text', ({ kind }) => kind],
  ['seed', 'seed', 'count', ({ seed }) => seed],
  ['fp', 'fp32', 'percent', ({ truth }) => truth.fp],
  ...UNIFORM.map((name, at) => [name, name, 'points', ({ truth }) => truth.uniform[at]]),
  ['worst', 'worst of 6 bits', 'points', ({ truth }) => truth.worst],
  ['found', 'found', 'points', ({ worstFound }) => worstFound],
  ['truth', 'truth', 'text', ({ truth }) => truth.verdict],
  ['verdict', 'verdict', 'text', ({ verdict, verdictRight }) => mark(verdict, verdictRight)],
  ['cause', 'cause named', 'text', causeOf],
]);
const { cpu, isa, threads } = inspect();
const text = `# The verdict on networks whose truth is known

\`node bench/verdict.mjs --seeds ${flags.seeds}\`: resnet8 on Fashion-MNIST, \`faultline assess\` as it is without options.
Truth: points lost on all 10,000 test images, the worst of all 252 policies of 6 bits enumerated. \`assess\` judges on 9,500 of
these images and searches on the other 500. ${right} of ${rows.length} verdicts and causes are right.

${markdownTable(shown)}

${cpu.model}, ${isa.chosen}, ${threads.used} thread${threads.used === 1 ? '' : 's'}; ${two(rows.reduce((sum, { seconds }) => sum + seconds, 0) / rows.length)} s for an assessment, other work running.
`;
mkdirSync(dirname(flags.out), { recursive: true });
writeFileSync(flags.out, text);
process.stdout.write(text);
process.exitCode = right === rows.length ? 0 : 1;
