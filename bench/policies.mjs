// Times 1,024 policies of {W4A4, W8A8} on images of resnet8, together and (a sixteenth of them) each alone:
//   node bench/policies.mjs [--images 1000] [--device cpu|cuda] [--json]
// With a device: together only, beside the processor's time for the same, whose results must be equal. --json: a line a
// figure, as bench/cuda/cuda_bench.cu prints them.
import assert from 'node:assert/strict';
import { parseArgs } from 'node:util';
import { Random, threads } from 'faultline/engine';
import { BudgetSpace, buildModel, PolicyEvaluator } from 'faultline/graph';

const { values: options } = parseArgs({
  options: {
    images: { type: 'string', default: '1000' },
    device: { type: 'string', default: 'cpu' },
    json: { type: 'boolean', default: false },
  },
});
const IMAGES = Number(options.images);
const SHARE_ALONE = 16;
const ROUNDS = 3;

const graph = buildModel('resnet8');
const random = new Random(1);
const dims = [IMAGES, 1, 28, 28];
const inputs = Float32Array.from({ length: IMAGES * 28 * 28 }, () => random.uniform());
const data = { dims, inputs, labels: Int32Array.from({ length: IMAGES }, (_, i) => i % 10) };
const space = new BudgetSpace(graph, { bits: 6, tolerance: 2, choices: ['W4A4', 'W8A8'] });
const policies = [...space.policies()];
const evaluator = new PolicyEvaluator(graph, { device: options.device });

async function seconds(run) {
  const start = performance.now();
  await run();
  return (performance.now() - start) / 1000;
}

await evaluator.evaluate(policies.slice(0, SHARE_ALONE), data);
const times = [];
let results;
for (let round = 0; round < ROUNDS; round++) {
  times.push(
    await seconds(async () => {
      results = await evaluator.evaluate(policies, data);
    }),
  );
}
const together = Math.min(...times);
const shape = `${policies.length} policies x ${IMAGES} images`;

function figure(who, time, more = {}) {
  const line = { op: 'policies', shape, who, us: time * 1e6, rounds: ROUNDS, ...more };
  console.log(options.json ? JSON.stringify(line) : `${shape}: ${who}: ${time.toFixed(2)} s`);
}

if (options.device === 'cpu') {
  const some = policies.filter((_, i) => i % SHARE_ALONE === Math.floor(i / SHARE_ALONE) % SHARE_ALONE);
  const alone = await seconds(async () => {
    for (const policy of some) await evaluator.evaluate([policy], data);
  });
  const each = (alone / some.length) * policies.length;
  console.log(`${policies.length} policies × ${IMAGES} images: ${together.toFixed(2)} s together, best of ${ROUNDS}`);
  console.log(`each alone: ${each.toFixed(1)} s, so sharing gains ${(each / together).toFixed(1)} times`);
  console.log(`memory for weights and values: ${(evaluator.bytes / 2 ** 20).toFixed(0)} MiB`);
} else {
  const host = new PolicyEvaluator(graph, { device: 'cpu' });
  let expected;
  const time = await seconds(async () => {
    expected = await host.evaluate(policies, data);
  });
  assert.deepEqual(results, expected);
  figure(evaluator.device, together);
  figure('cpu', time, { rounds: 1, threads: threads() });
  host.dispose();
}
evaluator.dispose();
