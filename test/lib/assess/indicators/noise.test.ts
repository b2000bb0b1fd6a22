// Noise of indicators: its size, that zero carries none, and that a sample's noise does not depend on its batch.
import assert from 'node:assert/strict';
import { ScanNetwork } from '../../../../lib/assess/indicators/network.js';
import { flipRate, inputNoise, pseudoNoise, weightNoise } from '../../../../lib/assess/indicators/noise.js';
import type { SampleBatch } from '../../../../lib/assess/samples.js';
import { Random } from '../../../../lib/tensor/random.js';
import { fullPrecision } from '../../../../lib/train/full_precision.js';
import { twoProducts, vectors } from '../../../support/product_network.js';

type Noise = ReturnType<typeof pseudoNoise>;
/** Of weights' root mean square, and of the inputs' deviation. */
const RELATIVE_NOISE = 0.1;

const graph = twoProducts();
const samples = vectors(graph, 64);
const [batch] = [...samples.batches(64)] as [SampleBatch];

/** What a noise makes of the weights of each layer, and of what the first one reads. */
function made(noise: Noise) {
  const network = new ScanNetwork(graph);
  const weights = new Map<string, Float32Array>();
  let read = new Float32Array();
  noise.inputs?.(batch);
  network.run(batch, {
    hook: (layer, activation, weight, tape) => {
      const found = noise.hook?.(layer, activation, weight, tape);
      if (found?.w) weights.set(layer.node.name, found.w.data.slice());
      if (found?.x && layer.node.name === 'first') read = found.x.data.slice();
      return found;
    },
  });
  return { network, weights, read };
}

describe('noise in full precision', () => {
  it('pseudo-noise is within half a step of each weight and activation', () => {
    const { network, weights, read } = made(pseudoNoise(new Random(1)));
    for (const layer of network.layers) {
      const noisy = weights.get(layer.node.name) as Float32Array;
      const sizes = [...noisy].map((w, i) => {
        const step = layer.steps[layer.channelOf(i)] as number;
        return Math.abs(w - (layer.weights[i] as number)) / step;
      });
      assert.ok(Math.max(...sizes) <= 0.5 + 1e-6 && Math.max(...sizes) > 0.3);
    }
    assert.notDeepEqual(read, batch.inputs);
  });

  it('pseudo-noise of one layer leaves the others alone', () => {
    const network = new ScanNetwork(graph);
    const only = pseudoNoise(new Random(1), network.layers[1]);
    const touched: string[] = [];
    network.run(batch, {
      hook: (layer, activation, weight, tape) => {
        const found = only.hook?.(layer, activation, weight, tape);
        if (found) touched.push(layer.node.name);
        return found;
      },
    });
    assert.deepEqual(touched, ['logits']);
  });

  it('weight noise has a tenth of the root mean square of a channel', () => {
    const { network, weights } = made(weightNoise(new Random(2)));
    const [layer] = network.layers;
    const noisy = weights.get('first') as Float32Array;
    const sums = { noise: 0, signal: 0 };
    layer?.weights.forEach((w, i) => {
      sums.noise += ((noisy[i] as number) - w) ** 2;
      sums.signal += w * w;
    });
    // 48 draws: their deviation is known to a tenth or so.
    assert.ok(Math.abs(Math.sqrt(sums.noise / sums.signal) / RELATIVE_NOISE - 1) < 0.3);
  });

  it("input noise is each sample's own, whatever the batch", () => {
    const noise = () => inputNoise(new Random(3), 2);
    const whole = noise().inputs?.(batch) as Float32Array;
    const parts = [...samples.batches(10)].flatMap((part) => Array.from(noise().inputs?.(part) ?? []));
    assert.deepEqual(Float32Array.from(parts), whole);
    const square = whole.reduce((sum, x, i) => sum + (x - (batch.inputs[i] as number)) ** 2, 0) / whole.length;
    assert.ok(Math.abs(Math.sqrt(square) / (2 * RELATIVE_NOISE) - 1) < 0.15);
  });

  it('flips are counted against the classes: none without noise, as many as differ with it', async () => {
    const classes = (await fullPrecision(graph, batch)).answers as Int32Array;
    const network = new ScanNetwork(graph);
    assert.equal(flipRate(network, samples, classes, {}), 0);
    assert.equal(
      flipRate(
        network,
        samples,
        classes.map((one) => (one + 1) % 3),
        {},
      ),
      1,
    );
    const rate = () => flipRate(network, samples, classes, pseudoNoise(new Random(4)));
    assert.equal(rate(), rate());
    assert.ok(rate() > 0);
  });
});
