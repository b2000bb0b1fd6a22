// Times 1,024 policies of {W4A4, W8A8} on 1,000 images of resnet8, together and (a sixteenth of them) each alone:
//   node bench/policies.mjs
import { BudgetSpace, buildModel, PolicyEvaluator, Random } from '../dist/lib/index.js';

const IMAGES = 1000;
const SHARE_ALONE = 16;

const graph = buildModel('resnet8');
const random = new Random(1);
const dims = [IMAGES, 1, 28, 28];
const inputs = Float32Array.from({ length: IMAGES * 28 * 28 }, () => random.uniform());
const data = { dims, inputs, labels: new Int32Array(IMAGES) };
const space = new BudgetSpace(graph, { bits: 6, tolerance: 2, choices: ['W4A4', 'W8A8'] });
const policies = [...space.policies()];
const evaluator = new PolicyEvaluator(graph);

async function seconds(run) {
  const start = performance.now();
  await run();
  return (performance.now() - start) / 1000;
}

await evaluator.evaluate(policies.slice(0, SHARE_ALONE), data);
const times = [];
for (let round = 0; round < 3; round++) times.push(await seconds(() => evaluator.evaluate(policies, data)));
const together = Math.min(...times);
const some = policies.filter((_, i) => i % SHARE_ALONE === Math.floor(i / SHARE_ALONE) % SHARE_ALONE);
const alone = await seconds(async () => {
  for (const policy of some) await evaluator.evaluate([policy], data);
});
const each = (alone / some.length) * policies.length;
console.log(`${policies.length} policies × ${IMAGES} images: ${together.toFixed(2)} s together, best of ${times.length}`);
console.log(`each alone: ${each.toFixed(1)} s, so sharing gains ${(each / together).toFixed(1)} times`);
console.log(`memory for weights and values: ${(evaluator.bytes / 2 ** 20).toFixed(0)} MiB`);
evaluator.dispose();
