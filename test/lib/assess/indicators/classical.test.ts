// Classical indicators: moments of known distributions, and activations against plain loops.
import assert from 'node:assert/strict';
import { activationShapes, weightShape } from '../../../../lib/assess/indicators/classical.js';
import { type ScanLayer, ScanNetwork } from '../../../../lib/assess/indicators/network.js';
import { INPUTS, twoProducts, vectors } from '../../../support/product_network.js';

/** Float32 ranges against float64 ones. */
const ROUNDED = 1e-6;

const layerOf = (weights: readonly number[], steps: readonly number[]): ScanLayer =>
  ({
    weights: Float32Array.from(weights),
    steps: Float32Array.from(steps),
    channelOf: (i: number) => i % steps.length,
  }) as unknown as ScanLayer;

describe('shape of weights', () => {
  it('kurtosis: 1 of two values, 1.8 of a uniform distribution, more with an outlier', () => {
    assert.equal(weightShape(layerOf([1, -1, 1, -1], [1])).kurtosis, 1);
    const uniform = Array.from({ length: 2001 }, (_, i) => i / 1000 - 1);
    assert.ok(Math.abs(weightShape(layerOf(uniform, [1])).kurtosis - 1.8) < 0.01);
    assert.ok(weightShape(layerOf([...uniform, 20], [1])).kurtosis > 10);
    assert.equal(weightShape(layerOf([2, 2], [1])).kurtosis, 0);
  });

  it('disparity: the largest range over the median, channels of zeros left out', () => {
    assert.equal(weightShape(layerOf([1, 1, 1, 1], [0.5, 4, 0.5, 0])).disparity, 8);
    assert.equal(weightShape(layerOf([0, 0], [0, 0])).disparity, 1);
  });

  it('SQNR: infinite on the grid, that of rounding errors off it', () => {
    assert.equal(weightShape(layerOf([1, -3, 2], [1])).sqnrDb, Number.POSITIVE_INFINITY);
    const { sqnrDb } = weightShape(layerOf([1.25, -3], [1]));
    assert.ok(Math.abs(sqnrDb - 10 * Math.log10((1.25 ** 2 + 9) / 0.25 ** 2)) < ROUNDED);
  });
});

describe('shape of activations', () => {
  it('peak and spread of the input, as plain loops have them', () => {
    const graph = twoProducts();
    const samples = vectors(graph, 9);
    const network = new ScanNetwork(graph);
    const found = activationShapes(network, samples);
    const [{ inputs } = { inputs: new Float32Array() }] = [...samples.batches(9)];
    const rows = Array.from({ length: 9 }, (_, i) => [...inputs.subarray(i * INPUTS, (i + 1) * INPUTS)]);
    const peaks = rows.map(
      (row) => Math.max(...row.map(Math.abs)) / Math.sqrt(row.reduce((a, x) => a + x * x, 0) / INPUTS),
    );
    const ranges = rows.map((row) => Math.max(0, ...row) - Math.min(0, ...row)).sort((a, b) => a - b);
    const shape = found.get(network.layers[0] as ScanLayer);
    assert.ok(Math.abs((shape?.peak ?? 0) - peaks.reduce((a, b) => a + b, 0) / 9) < ROUNDED);
    assert.ok(Math.abs((shape?.spread ?? 0) - (ranges[8] as number) / (ranges[4] as number)) < ROUNDED);
    assert.equal(found.size, 2);
  });
});
