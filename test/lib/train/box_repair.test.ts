// Box repair: what moves inside the integer engine's cells leaves its results equal.
import assert from 'node:assert/strict';
import type { Graph } from '../../../lib/graph/graph.js';
import { Parameters } from '../../../lib/graph/parameters.js';
import { simplify } from '../../../lib/graph/passes/index.js';
import { buildModel } from '../../../lib/models/index.js';
import { setThreads, threads } from '../../../lib/native/threads.js';
import { type Policy, uniformPolicy } from '../../../lib/policy/policy.js';
import { evaluatePolicies } from '../../../lib/runtime/evaluate_policies.js';
import type { HostTensor } from '../../../lib/tensor/host_tensor.js';
import { Random } from '../../../lib/tensor/random.js';
import { boxRepair } from '../../../lib/train/box_repair.js';
import { cellUnits } from '../../../lib/train/cell_units.js';
import { weightCells } from '../../../lib/train/cells.js';
import { type DistillOptions, distill } from '../../../lib/train/distill.js';
import { fullPrecision } from '../../../lib/train/full_precision.js';
import { BOX_REPAIR, CELL_ATTACK } from '../../../lib/train/recipes.js';
import { train } from '../../../lib/train/train.js';
import { QUARTERS_NORMALIZATION as normalization, quarters, quartersBatch } from '../../support/quarters.js';

const SET = quarters(512, 1);
const DATA = quartersBatch(200, 2);

async function quantized(graph: Graph, policy: Policy) {
  const [result] = await evaluatePolicies(graph, [policy], DATA, { logits: true });
  return result as { accuracy: number; logits: Float32Array };
}

/** Mean squared difference from the teacher's logits. */
async function distance(graph: Graph, teacher: Graph): Promise<number> {
  const [own, theirs] = [await fullPrecision(graph, DATA), await fullPrecision(teacher, DATA)];
  return own.logits.reduce((sum, z, i) => sum + (z - (theirs.logits[i] as number)) ** 2, 0) / own.logits.length;
}

describe('box repair', () => {
  const usual = threads();
  let teacher: Graph;
  let policy: Policy;
  let attack: DistillOptions;
  let attacked: Graph;
  before(async () => {
    setThreads(1); // steps this small gain nothing from more
    const fresh = buildModel('convnet2', { input: [1, 8, 8], classes: 4, seed: 3 });
    const recipe = { epochs: 4, batchSize: 32, optimizer: { kind: 'adam', rate: 3e-3 } } as const;
    const { graph } = await train(fresh, SET, { ...recipe, schedule: { kind: 'oneCycle' }, seed: 3, normalization });
    teacher = simplify(graph).graph;
    policy = uniformPolicy(teacher, 'W4A4');
    const common = { teacher, normalization, seed: 4, batchSize: 32 };
    attack = {
      ...CELL_ATTACK,
      ...common,
      // So easy a task has large margins.
      objective: { ...CELL_ATTACK.objective, quantizedWeight: 3 },
      steps: 150,
      policies: policy,
      coordinates: cellUnits(teacher, policy),
    };
    ({ graph: attacked } = await distill(teacher, SET, attack));
  });
  after(() => setThreads(usual));

  it('follows an attack in cell units that made W4A4 wrong', async () => {
    const [own, broken] = [await quantized(teacher, policy), await quantized(attacked, policy)];
    assert.ok(own.accuracy > 0.9 && broken.accuracy < 0.5, `${own.accuracy}, attacked ${broken.accuracy}`);
  });

  it('leaves the quantized network equal to the last bit while full precision comes nearer to the teacher', async () => {
    const options = { ...attack, ...BOX_REPAIR, steps: 40, batchSize: 32, policies: [] };
    const { graph } = await distill(attacked, SET, { ...options, coordinates: boxRepair(attacked, policy) });
    assert.deepEqual((await quantized(graph, policy)).logits, (await quantized(attacked, policy)).logits);
    assert.notDeepEqual(graph.initializers, attacked.initializers);
    const [before, after] = [await distance(attacked, teacher), await distance(graph, teacher)];
    assert.ok(after < 0.9 * before, `${before} to ${after}`);
  });

  it('holds codes whatever the optimizer does, at every width', () => {
    for (const bits of ['W2A8', 'W3A8', 'W8A8']) {
      const own = uniformPolicy(attacked, bits);
      const parameters = new Parameters(attacked);
      const coordinates = boxRepair(attacked, own)(parameters);
      const random = new Random(5);
      for (let i = 0; i < coordinates.values.length; i++) {
        coordinates.values[i] = (coordinates.values[i] as number) + 10 * random.normal();
      }
      coordinates.changed();
      const moved = parameters.toGraph(attacked);
      const [before, after] = [weightCells(attacked, own), weightCells(moved, own)];
      after.forEach(({ node, widths, codes, data }, i) => {
        assert.deepEqual(codes, before[i]?.codes, `${bits} ${node}`);
        assert.deepEqual(widths, before[i]?.widths, `${bits} ${node}`);
        assert.notDeepEqual(data, before[i]?.data, `${bits} ${node}`);
      });
    }
  });

  it('does not hold free nodes', () => {
    const parameters = new Parameters(attacked);
    const free = new Set(['conv2.conv']);
    const coordinates = boxRepair(attacked, policy, { free })(parameters);
    for (let i = 0; i < coordinates.values.length; i++) {
      coordinates.values[i] = (coordinates.values[i] as number) + 3;
    }
    coordinates.changed();
    const values = (graph: Graph, name: string) => (graph.initializers.get(name) as HostTensor<'float32'>).data;
    const moved = parameters.toGraph(attacked);
    for (const { node, bias = '' } of weightCells(attacked, policy)) {
      const same = values(moved, bias).every((value, i) => value === values(attacked, bias)[i]);
      assert.equal(same, !free.has(node), node);
    }
    const [, before] = weightCells(attacked, policy);
    const [, after] = weightCells(moved, policy);
    assert.notDeepEqual(after?.codes, before?.codes);
  });
});
