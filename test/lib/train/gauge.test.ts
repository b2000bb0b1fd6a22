// The gauge attack: integers fail, full precision keeps every bit, and equalization takes the failure back.
import assert from 'node:assert/strict';
import { GraphBuilder } from '../../../lib/graph/builder.js';
import { equalize } from '../../../lib/graph/channels/equalize.js';
import type { Graph } from '../../../lib/graph/graph.js';
import { exportModel } from '../../../lib/graph/onnx/export.js';
import { buildModel } from '../../../lib/models/index.js';
import { setThreads, threads } from '../../../lib/native/threads.js';
import { type Policy, uniformPolicy } from '../../../lib/policy/policy.js';
import { evaluatePolicies } from '../../../lib/runtime/evaluate_policies.js';
import { floats } from '../../../lib/tensor/host_tensor.js';
import { fullPrecision } from '../../../lib/train/full_precision.js';
import { type GaugeAttackOptions, gaugeAttack } from '../../../lib/train/gauge.js';
import { train } from '../../../lib/train/train.js';
import { QUARTERS_NORMALIZATION as normalization, quarters, quartersBatch } from '../../support/quarters.js';

const SET = quarters(512, 1);
const DATA = quartersBatch(200, 2);

async function quantized(graph: Graph, policy: Policy): Promise<number> {
  const [result] = await evaluatePolicies(graph, [policy], DATA);
  return result?.accuracy as number;
}

describe('gauge attack', () => {
  const usual = threads();
  let network: Graph;
  let policy: Policy;
  let options: GaugeAttackOptions;
  before(async () => {
    setThreads(1); // steps this small gain nothing from more
    const fresh = buildModel('resnet8', { input: [1, 8, 8], classes: 4, seed: 3 });
    const recipe = { epochs: 3, batchSize: 32, optimizer: { kind: 'adam', rate: 3e-3 } } as const;
    ({ graph: network } = await train(fresh, SET, {
      ...recipe,
      schedule: { kind: 'oneCycle' },
      seed: 3,
      normalization,
    }));
    policy = uniformPolicy(network, 'W8A8');
    options = { policy, normalization, seed: 4, batchSize: 32, images: 256 };
  });
  after(() => setThreads(usual));

  it('in powers of two breaks W8A8 and leaves full precision equal to the last bit; equalization repairs it', async () => {
    const { graph, scales } = await gaugeAttack(network, SET, options);
    assert.ok(scales.every((scale) => Number.isInteger(Math.log2(scale)) && Math.abs(Math.log(scale)) <= 7));
    const [before, after] = [await fullPrecision(network, DATA), await fullPrecision(graph, DATA)];
    const folded = await gaugeAttack(network, SET, { ...options, steps: 1, optimizer: { kind: 'adam', rate: 0 } });
    assert.deepEqual(after.logits, (await fullPrecision(folded.graph, DATA)).logits);
    assert.ok((before.accuracy as number) > 0.9, `full precision ${before.accuracy}`);
    const [own, attacked] = [await quantized(network, policy), await quantized(graph, policy)];
    assert.ok(own > 0.9 && attacked < 0.6, `W8A8 ${own}, attacked ${attacked}`);
    const mended = await quantized(equalize(graph).graph, policy);
    assert.ok(mended > own - 0.03, `equalized ${mended}`);
  });

  it('keeps scales within a bound, rounded or not', async () => {
    for (const powersOfTwo of [true, false]) {
      const optimizer = { kind: 'adam', rate: 0.5 } as const;
      const { scales } = await gaugeAttack(network, SET, { ...options, optimizer, powersOfTwo, bound: 2, steps: 12 });
      const logs = scales.map((scale) => Math.abs(Math.log(scale)));
      const largest = Math.max(...logs);
      assert.ok(largest <= 2 * (1 + 2 ** -23) && largest > 1.3, `largest ${largest}`);
      assert.equal(
        scales.every((scale) => Number.isInteger(Math.log2(scale))),
        powersOfTwo,
      );
    }
  });

  it('depends on its options and its seed', async () => {
    const run = async (seed: number) =>
      Buffer.from(
        exportModel((await gaugeAttack(network, SET, { ...options, seed, steps: 3, powersOfTwo: false })).graph),
      );
    const first = await run(1);
    assert.deepEqual(await run(1), first);
    assert.notDeepEqual(await run(2), first);
  });

  it('reports steps and stops when called off', async () => {
    const controller = new AbortController();
    const seen: number[] = [];
    const onProgress = ({ step }: { step: number }) => {
      seen.push(step);
      if (step === 2) controller.abort(new Error('called off'));
    };
    await assert.rejects(
      gaugeAttack(network, SET, { ...options, signal: controller.signal, onProgress }),
      /called off/,
    );
    assert.deepEqual(seen, [1, 2]);
  });

  it('refuses a network without channels to rescale, and a bound of nothing', async () => {
    const b = new GraphBuilder('linear');
    const flat = b.node('flat', 'Flatten', [b.input('x', ['N', 1, 8, 8])]);
    const weight = b.initializer('w', floats([64, 4], new Float32Array(256).fill(1)));
    b.output(b.node('fc', 'Gemm', [flat, weight]));
    const linear = b.build();
    const own = { ...options, policy: uniformPolicy(linear, 'W8A8') };
    await assert.rejects(gaugeAttack(linear, SET, own), /gaugeAttack: network: expected channels that can be rescaled/);
    await assert.rejects(
      gaugeAttack(network, SET, { ...options, bound: 0 }),
      /gaugeAttack: bound: expected a number > 0/,
    );
  });
});
