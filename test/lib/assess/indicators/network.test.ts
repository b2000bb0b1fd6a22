// The network that indicators see: its steps are those of the policy, its logits those of full precision, its hooks replace.
import assert from 'node:assert/strict';
import { activationSteps, type LayerActivation, ScanNetwork } from '../../../../lib/assess/indicators/network.js';
import type { SampleBatch } from '../../../../lib/assess/samples.js';
import { InvalidArgumentError } from '../../../../lib/core/errors.js';
import { GraphError } from '../../../../lib/graph/errors.js';
import { uniformPolicy } from '../../../../lib/policy/policy.js';
import { fullPrecision } from '../../../../lib/train/full_precision.js';
import { CLASSES, HIDDEN, INPUTS, oneProduct, twoProducts, vectors } from '../../../support/product_network.js';

describe('network of the indicators', () => {
  const graph = twoProducts();
  const samples = vectors(graph, 5);
  const [batch] = [...samples.batches(5)] as [SampleBatch];

  it('steps are the largest weight of a channel over the largest code', () => {
    const { layers } = new ScanNetwork(graph, uniformPolicy(graph, 'W3A8'));
    assert.deepEqual(
      layers.map(({ node, channels }) => [node.name, channels]),
      [
        ['first', HIDDEN],
        ['logits', CLASSES],
      ],
    );
    const { data } = graph.initializers.get('w1') as { data: Float32Array };
    const steps = Array.from({ length: HIDDEN }, (_, c) => {
      const column = Array.from({ length: INPUTS }, (__, i) => Math.abs(data[i * HIDDEN + c] as number));
      return Math.fround(Math.max(...column) / 3);
    });
    assert.deepEqual([...(layers[0]?.steps ?? [])], steps);
  });

  it('activation steps are over ranges that hold zero', () => {
    const activation = { value: { data: Float32Array.of(1, 2, -3, 4, 0, 0) }, rows: 3 } as unknown as LayerActivation;
    assert.deepEqual(
      [...activationSteps(activation, 2)],
      [2, 7, 0].map((range) => Math.fround(range / 3)),
    );
  });

  it('logits are those of full precision, and batches may be fewer', async () => {
    const network = new ScanNetwork(graph);
    const { logits, width } = network.run(batch);
    assert.equal(width, CLASSES);
    assert.deepEqual(logits.data, (await fullPrecision(graph, batch)).logits);
    assert.deepEqual(
      [...network.batches(samples, 0)].map(({ count }) => count),
      [],
    );
  });

  it('a hook sees what enters each product, and replaces it', () => {
    const network = new ScanNetwork(graph);
    const seen: [string, number, number][] = [];
    const { logits } = network.run(batch, {
      hook: (layer, { rows, rowsPerSample }, weight, tape) => {
        seen.push([layer.node.name, rows, rowsPerSample]);
        return layer.node.name === 'logits'
          ? { w: tape.constant(new Float32Array(HIDDEN * CLASSES), weight.dims) }
          : undefined;
      },
    });
    assert.deepEqual(seen, [
      ['first', 5, 1],
      ['logits', 5, 1],
    ]);
    assert.ok(logits.data.every((value) => value === 0));
  });

  it('refuses policies without bits for a product, and weights that are no numbers', () => {
    const nothing = uniformPolicy(graph, 'W4A4', { excluded: ['first', 'logits'] });
    assert.throws(() => new ScanNetwork(graph, nothing), InvalidArgumentError);
    assert.throws(() => new ScanNetwork(oneProduct([Number.NaN, 1])), GraphError);
  });
});
