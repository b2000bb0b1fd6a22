// Indicators from full precision: first-order figures are those of the formula, they see what they should see and not what
// they should not, and they are the same every time.

import assert from 'node:assert/strict';
import { firstOrderNoise, hessianTraces } from '../../../../lib/assess/indicators/gradient.js';
import { ScanNetwork } from '../../../../lib/assess/indicators/network.js';
import { imageSamples, tensorSamples } from '../../../../lib/assess/samples.js';
import { measureIndicators, type Scan, scan } from '../../../../lib/assess/scan/scan.js';
import { InvalidArgumentError } from '../../../../lib/core/errors.js';
import { schemeOf } from '../../../../lib/format/scheme.js';
import { GraphBuilder } from '../../../../lib/graph/builder.js';
import { quantizableNodes } from '../../../../lib/graph/check.js';
import { GraphError } from '../../../../lib/graph/errors.js';
import type { Graph } from '../../../../lib/graph/graph.js';
import { uniformPolicy } from '../../../../lib/policy/policy.js';
import { floats, type HostTensor } from '../../../../lib/tensor/host_tensor.js';
import { Random } from '../../../../lib/tensor/random.js';
import { blobs, disparate, PLAIN, trainedOnBlobs } from '../../../support/assess_networks.js';

/** float32 gradients and steps: a few roundings of 6e-8 each. */
const FLOAT32 = 1e-6;

function linear(weights: readonly number[], classes: number, inputs: number): Graph {
  const b = new GraphBuilder('linear');
  const x = b.input('input', ['N', inputs]);
  const w = b.initializer('w', floats([classes, inputs], Float32Array.from(weights)));
  b.output(b.node('fc', 'Gemm', [x, w], { attributes: { transB: 1 } }));
  return b.build();
}

describe('indicators from full precision', () => {
  let graph: Graph;
  let found: Scan;
  const set = blobs(70, 5);
  before(async () => {
    graph = await trainedOnBlobs();
    found = await scan(graph, imageSamples(graph, set, PLAIN), { draws: 2, seed: 3 });
  });

  it('has first-order noise as the formula says: rows of weights and a sample each with their steps', () => {
    const net = linear([1, -2, 0.5, -1, 0, 3], 2, 3);
    const x = [2, 0, -1];
    const network = new ScanNetwork(net, uniformPolicy(net, 'W4A3'));
    const samples = tensorSamples(net, floats([1, 3], Float32Array.from(x)));
    const [noise] = [...firstOrderNoise(network, samples, new Random(0)).values()];
    assert.ok(noise);
    // Gradient of the margin for x: ±(2, −2, −2.5), of which the zero of x has no noise; range 3 in 7 steps.
    const activation = ((2 ** 2 + 2.5 ** 2) * (3 / 7) ** 2) / 12;
    // For weights ±x in each row; rows reach 2 and 3, 7 steps; the one weight that is zero has none.
    const weights = ((2 ** 2 + 1 ** 2) * (2 / 7) ** 2 + (2 ** 2 + 1 ** 2) * (3 / 7) ** 2) / 12;
    assert.ok(Math.abs((noise.activations[0] as number) - activation) < FLOAT32 * activation);
    assert.ok(Math.abs(noise.weights - weights) < FLOAT32 * weights);
    assert.ok(Math.abs(noise.squaredGradient - 10) < FLOAT32 * 10);
  });

  it("has the trace of a softmax's Hessian: Σ p(1 − p) · ‖x‖²", () => {
    const net = linear([0.5, -0.25, 0.25, 0.75], 2, 2);
    const x = [1, -2];
    const network = new ScanNetwork(net);
    const samples = tensorSamples(net, floats([1, 2], Float32Array.from(x)));
    const p = 1 / (1 + Math.exp(-1 + -1.25));
    const exact = 2 * p * (1 - p) * 5;
    const probes = 400;
    const [trace] = [...hessianTraces(network, samples, 1, probes, new Random(1)).values()];
    // One probe is p(1 − p) · (v₁·x − v₂·x)², of mean `exact`; its deviation is at most its largest value, 36 p(1 − p).
    const four = (4 * 36 * p * (1 - p)) / Math.sqrt(probes);
    assert.ok(Math.abs((trace as number) - exact) < four, `${trace}, not ${exact}`);
  });

  it('sees channels at different scales through noise of quantization, not through input noise and margins', async () => {
    const apart = disparate(graph, 64);
    const other = await scan(apart, imageSamples(apart, set, PLAIN), { draws: 2, seed: 3 });
    const [plain, broken] = [found.indicators, other.indicators];
    assert.ok(broken.pseudoNoiseFlips > plain.pseudoNoiseFlips + 0.1, `${broken.pseudoNoiseFlips}`);
    assert.ok(broken.noiseOverMargin > 3 * plain.noiseOverMargin);
    assert.ok(broken.channelDisparity > 8 * plain.channelDisparity);
    // Powers of two: full precision is the same to the last bit.
    assert.equal(broken.inputNoiseFlips, plain.inputNoiseFlips);
    assert.equal(broken.margin, plain.margin);
  });

  it('says the same every time, whatever else is asked for, and without labels', async () => {
    const { labels: _, ...unlabelled } = set;
    const again = await scan(graph, imageSamples(graph, unlabelled, PLAIN), { draws: 2, seed: 3 });
    assert.deepEqual(again, found);
    const less = await scan(graph, imageSamples(graph, set, PLAIN), { draws: 2, seed: 3, layerFlips: false });
    assert.deepEqual(less.indicators, found.indicators);
    const coarse = await scan(graph, imageSamples(graph, set, PLAIN), {
      draws: 2,
      seed: 3,
      layerFlips: false,
      policy: uniformPolicy(graph, 'W2A2'),
    });
    assert.ok(coarse.indicators.noiseOverMargin > 3 * found.indicators.noiseOverMargin);
  });

  it('measures some indicators alone as among the others', async () => {
    for (const names of [
      ['pseudoNoiseFlips'],
      ['noiseOverMargin', 'margin'],
      ['predictedFlips', 'kurtosis'],
    ] as const) {
      const some = await measureIndicators(graph, imageSamples(graph, set, PLAIN), names, { draws: 2, seed: 3 });
      assert.deepEqual(some, Object.fromEntries(names.map((name) => [name, found.indicators[name]])));
    }
  });

  it('shares out all of the noise among the layers', () => {
    assert.deepEqual(
      found.layers.map(({ node }) => node),
      [...uniformPolicy(graph, 'W4A4').schemes.keys()],
    );
    const shares = found.layers.reduce((sum, { noiseShare }) => sum + noiseShare, 0);
    assert.ok(Math.abs(shares - 1) < 1e-12);
    for (const { pseudoNoiseFlips } of found.layers) assert.ok((pseudoNoiseFlips as number) <= 1);
  });

  it('can be called off, and refuses what does not fit', async () => {
    const samples = imageSamples(graph, set, PLAIN);
    const calledOff = AbortSignal.abort(new Error('enough'));
    await assert.rejects(scan(graph, samples, { signal: calledOff }), /enough/);
    await assert.rejects(scan(graph, samples, { draws: 0 }), InvalidArgumentError);
    const strange = { schemes: new Map([['nothing', schemeOf(4, 4)]]), excluded: new Set<string>() };
    await assert.rejects(scan(graph, samples, { policy: strange }), GraphError);
    const names = [...uniformPolicy(graph, 'W4A4').schemes.keys()];
    const none = uniformPolicy(graph, 'W4A4', { excluded: names });
    await assert.rejects(scan(graph, samples, { policy: none }), InvalidArgumentError);
    const [node] = quantizableNodes(graph);
    const weight = node?.inputs[1] as string;
    const { dims, data } = graph.initializers.get(weight) as HostTensor;
    const broken = floats(dims, (data as Float32Array).with(0, Number.NaN));
    const initializers = new Map([...graph.initializers, [weight, broken] as const]);
    await assert.rejects(
      scan(graph.with({ initializers }), samples, {}),
      new RegExp(`${node?.name}: expected finite weights, received NaN or infinity`),
    );
  });
});
