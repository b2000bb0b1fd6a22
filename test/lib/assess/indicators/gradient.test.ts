// First-order noise and curvature, against closed forms of a linear network.
import assert from 'node:assert/strict';
import { firstOrderNoise, hessianTraces } from '../../../../lib/assess/indicators/gradient.js';
import { type ScanLayer, ScanNetwork } from '../../../../lib/assess/indicators/network.js';
import { tensorSamples } from '../../../../lib/assess/samples.js';
import { floats } from '../../../../lib/tensor/host_tensor.js';
import { Random } from '../../../../lib/tensor/random.js';
import { oneProduct, twoProducts, vectors } from '../../../support/product_network.js';

/** Gradients are float32. */
const FLOAT32 = 1e-5;
const close = (actual: number, expected: number, tolerance: number) =>
  assert.ok(Math.abs(actual - expected) <= tolerance * Math.abs(expected), `${actual}, expected ${expected}`);

describe('first-order noise', () => {
  it('of one linear product: the variance that uniform noise of a step gives its margin', () => {
    const graph = oneProduct([2, 1], [0.5, -0.25]);
    const x = [3, 1];
    const network = new ScanNetwork(graph); // W4A4
    const [layer] = network.layers as [ScanLayer];
    const noise = firstOrderNoise(network, tensorSamples(graph, floats([1, 2], x)), new Random(1)).get(layer);
    // Margin: (2 − 1) x0 + (0.5 + 0.25) x1; range 0 … 3 in 15 steps; weight steps max |w| / 7.
    const step = 3 / 15;
    close(noise?.activations[0] ?? 0, ((1 + 0.75 ** 2) * step ** 2) / 12, FLOAT32);
    close(noise?.channels[1] ?? 0, (0.75 ** 2 * step ** 2) / 12, FLOAT32);
    const squares = 3 ** 2 + 1 ** 2;
    close(noise?.squaredGradient ?? 0, 2 * squares, FLOAT32);
    close(noise?.weights ?? 0, (squares * ((2 / 7) ** 2 + (1 / 7) ** 2)) / 12, FLOAT32);
  });

  it('zeros carry no noise', () => {
    const graph = oneProduct([2, 1], [0.5, -0.25]);
    const network = new ScanNetwork(graph);
    const noise = firstOrderNoise(network, tensorSamples(graph, floats([1, 2], [3, 0])), new Random(1));
    assert.equal([...noise.values()][0]?.channels[1], 0);
  });

  it("each sample's activation noise is its own, whatever is measured beside it", () => {
    const graph = twoProducts();
    const samples = vectors(graph, 12);
    const network = new ScanNetwork(graph);
    const all = firstOrderNoise(network, samples, new Random(1)).get(network.layers[0] as ScanLayer);
    const few = firstOrderNoise(network, samples.take(Int32Array.of(4, 7)), new Random(5));
    const some = few.get(network.layers[0] as ScanLayer);
    assert.deepEqual([...(some?.activations ?? [])], [all?.activations[4], all?.activations[7]]);
  });
});

describe('Hessian trace', () => {
  it('of softmax regression: Σ x² Σ p (1 − p), by probes; the weights are as they were', () => {
    const graph = oneProduct([0.5, -0.5], [1, 0.25]);
    const x = [1.5, -0.5];
    const network = new ScanNetwork(graph);
    const [layer] = network.layers as [ScanLayer];
    const before = network.parameters.get(layer.weight)?.data.slice();
    const probes = 300;
    const traces = hessianTraces(network, tensorSamples(graph, floats([1, 2], x)), 1, probes, new Random(2));
    const margin = (0.5 + 0.5) * 1.5 + (1 - 0.25) * -0.5;
    const p = 1 / (1 + Math.exp(-margin));
    // Each probe deviates by less than twice the trace: its mean over 300 by less than an eighth.
    close(traces.get(layer) ?? 0, (1.5 ** 2 + 0.5 ** 2) * 2 * p * (1 - p), 0.2);
    assert.deepEqual(network.parameters.get(layer.weight)?.data, before);
  });
});
