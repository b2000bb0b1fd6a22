// Search agents beside each other, on Fashion-MNIST: regret of each after equal evaluations, over landscapes and seeds.
//   node bench/search.mjs teacher.onnx …                 students distilled to fail make landscapes with cliffs
//   node bench/search.mjs --steps 0 --bits 2-8 --budget 5 resnet18.onnx       networks as they are
// A landscape that is too large to enumerate has no regret: the gap to the best that any agent found stands in its place.
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { splitByHash } from '../dist/lib/data/split.js';
import { loadDataset } from '../dist/lib/data/load.js';
import { subset } from '../dist/lib/data/image_set.js';
import { table } from '../dist/lib/report/document.js';
import { markdownTable } from '../dist/lib/report/markdown.js';
import { mean } from '../dist/lib/statistics/summary.js';
import { evaluationData } from 'faultline/data';
import { Random } from 'faultline/engine';
import { BudgetSpace, loadModel, uniformPolicy } from 'faultline/graph';
import { agentNamed, BASELINES, Judge, regretOf } from 'faultline/search';
import { DETRIMENTAL, distill } from 'faultline/train';

const { values: flags, positionals: models } = parseArgs({
  allowPositionals: true,
  options: {
    evaluations: { type: 'string', default: '40' },
    images: { type: 'string', default: '1000' },
    seeds: { type: 'string', default: '5' },
    bits: { type: 'string', default: '4,8' },
    budget: { type: 'string', default: '6' },
    objectives: { type: 'string', default: 'detrimental,robust' },
    steps: { type: 'string', default: '430' }, // an epoch of 55,000 images in batches of 128
    kinds: { type: 'string', default: 'W4A4,drawn,changing' },
    agents: { type: 'string', default: ['ddpg', ...BASELINES.map(({ name }) => name)].join(',') },
  },
});
const [evaluations, images, seeds, steps] = ['evaluations', 'images', 'seeds', 'steps'].map((name) => Number(flags[name]));
const [from, to] = flags.bits.split('-').map(Number);
const widths = to ? Array.from({ length: to - from + 1 }, (_, i) => from + i) : flags.bits.split(',');
const budget = { bits: Number(flags.budget), choices: widths.map((bits) => `W${bits}A${bits}`) };
const agents = flags.agents.split(',');
if (models.length === 0) throw new Error('bench/search.mjs: expected one or more teacher.onnx');
for (const name of agents) agentNamed(name);

/** More policies than this are not enumerated. */
const MOST = 4096n;
const dataset = await loadDataset('fashion-mnist');
const { train, validation } = splitByHash(dataset.train, 5000, 0);
const data = evaluationData(subset(validation, Array.from({ length: images }, (_, i) => i)), dataset.normalization);

/** A student that fails at W4A4, under one policy of the budget, or under a different one every step. */
async function student(teacher, kind, seed) {
  const space = new BudgetSpace(teacher, budget);
  const random = new Random(seed);
  const policies = {
    W4A4: () => uniformPolicy(teacher, 'W4A4'),
    drawn: () => space.sample(random),
    changing: () => ({ at: ({ step }) => [space.sample(random.split(String(step)))], configuration: { seed } }),
  }[kind]();
  const { normalization } = dataset;
  return (await distill(teacher, train, { ...DETRIMENTAL, teacher, steps, normalization, policies, seed })).graph;
}

async function landscapes() {
  const list = [];
  for (const [index, path] of models.entries()) {
    const { graph } = await loadModel(path);
    const name = basename(path) === 'model.onnx' ? basename(path.slice(0, -'/model.onnx'.length)) : basename(path, '.onnx');
    if (steps === 0) list.push({ name, make: async () => graph });
    else for (const kind of flags.kinds.split(',')) list.push({ name: `${name} ${kind}`, make: () => student(graph, kind, index) });
  }
  return list;
}

const all = new Map();
const rows = [];
console.log(`${evaluations} evaluations, ${images} images, ${seeds} seeds, bits ${flags.bits}, mean ${flags.budget}`);
for (const { name, make } of await landscapes()) {
  const graph = await make();
  const space = new BudgetSpace(graph, budget);
  for (const objective of flags.objectives.split(',')) {
    const judge = Judge.onIntegers(graph, space, data, { measure: 'accuracy' });
    const found = new Map(agents.map((agent) => [agent, []]));
    for (const agent of agents) {
      for (let seed = 0; seed < seeds; seed++) {
        found.get(agent).push((await agentNamed(agent).search(judge, { objective, evaluations, seed })).value);
      }
    }
    let optimum = objective === 'detrimental' ? Math.min(...[...found.values()].flat()) : Math.max(...[...found.values()].flat());
    let median;
    if (space.count <= MOST) {
      const values = await judge.landscape();
      optimum = objective === 'detrimental' ? values[0] : values.at(-1);
      median = values[Math.floor(values.length / 2)];
    }
    const row = { objective, name, optimum: 100 * optimum, median: median && 100 * median, regrets: {} };
    for (const [agent, results] of found) {
      const regrets = results.map((value) => regretOf(objective, value, optimum));
      const key = `${objective} ${agent}`;
      all.set(key, [...(all.get(key) ?? []), ...regrets]);
      row.regrets[agent] = 100 * mean(regrets);
    }
    rows.push(row);
    console.error(`${objective}, ${name}: searched`);
    judge.dispose();
  }
}
const landscapeTable = table({ name: 'landscapes', caption: 'Mean regret' }, rows, [
  ['objective', 'objective', 'text', ({ objective }) => objective],
  ['name', 'network', 'text', ({ name }) => name],
  ['optimum', 'optimum', 'percent', ({ optimum }) => optimum],
  ['median', 'median', 'percent', ({ median }) => median],
  ...agents.map((agent) => [agent, agent, 'points', ({ regrets }) => regrets[agent]]),
]);
const agentTable = table({ name: 'agents', caption: 'Regret over all' }, [...all], [
  ['agent', 'objective, agent', 'text', ([key]) => key],
  ['mean', 'mean regret', 'points', ([, regrets]) => 100 * mean(regrets)],
  ['largest', 'largest', 'points', ([, regrets]) => 100 * Math.max(...regrets)],
]);
console.log(`${markdownTable(landscapeTable)}\n\n${markdownTable(agentTable)}`);
