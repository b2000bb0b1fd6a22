// The error profile of a network: its figures are those of runs made one by one, and do not depend on batches.

import assert from 'node:assert/strict';
import { type Profile, type ProfileOptions, profile } from '../../../../lib/assess/profile/profile.js';
import { imageSamples, type Samples, tensorSamples } from '../../../../lib/assess/samples.js';
import { schemeOf } from '../../../../lib/format/scheme.js';
import { GraphBuilder } from '../../../../lib/graph/builder.js';
import { GraphError } from '../../../../lib/graph/errors.js';
import type { Graph } from '../../../../lib/graph/graph.js';
import { type Policy, uniformPolicy } from '../../../../lib/policy/policy.js';
import { evaluatePolicies } from '../../../../lib/runtime/evaluate_policies.js';
import { floats, integers } from '../../../../lib/tensor/host_tensor.js';
import { Random } from '../../../../lib/tensor/random.js';
import { blobs, network, PLAIN } from '../../../support/assess_networks.js';
import { randomTensor } from '../../../support/onnxruntime.js';
import { signals } from '../../../support/signals.js';
import { TOKENS, transformer } from '../../../support/transformer.js';

/** Sums of fp64 in another order, over thousands of terms. */
const SUMS = 1e-9;

const near = (actual: number, expected: number, tolerance: number, what: string) =>
  assert.ok(Math.abs(actual - expected) <= tolerance * Math.abs(expected), `${what}: ${actual}, not ${expected}`);

/** Without what was timed. */
function untimed({ network: { nsPerSample: _, ...rest }, ceilings: __, layers, ...other }: Profile) {
  return { ...other, network: rest, layers: layers.map(({ speed: ___, ...layer }) => layer) };
}

function excluding(graph: Graph, kept: string, bits: string): Policy {
  const names = [...uniformPolicy(graph, bits).schemes.keys()];
  return uniformPolicy(graph, bits, { excluded: names.filter((name) => name !== kept) });
}

describe('error profile of a network', () => {
  const graph = network('resnet8', [1, 12, 12]);
  const samples = imageSamples(graph, blobs(24), PLAIN);
  const names = [...uniformPolicy(graph, 'W8A8').schemes.keys()];

  it('is the same whatever the batches', async () => {
    const policy = uniformPolicy(graph, 'W4A4');
    const whole = untimed(await profile(graph, samples, { policy }));
    for (const batchSize of [1, 7])
      assert.deepEqual(untimed(await profile(graph, samples, { policy, batchSize })), whole);
    assert.equal(whole.network.samples, 24);
    assert.deepEqual(
      whole.layers.map(({ node }) => node),
      names,
    );
  });

  it("counts flips, accuracy and the logits' error as the policy evaluator's runs have them", async () => {
    const policy = uniformPolicy(graph, 'W3A3');
    const [batch] = [...samples.batches(24)];
    assert.ok(batch);
    const none: Policy = { schemes: new Map(), excluded: new Set(names) };
    const [fp, quantized] = await evaluatePolicies(graph, [none, policy], batch, { logits: true });
    const { network: found, layers } = await profile(graph, samples, { policy });
    assert.deepEqual(found.accuracy, { fp: fp?.accuracy, quantized: quantized?.accuracy });
    const classOf = (logits: Float32Array, i: number) => {
      const row = [...logits.subarray(4 * i, 4 * i + 4)];
      return row.indexOf(Math.max(...row));
    };
    const [y, q] = [fp?.logits as Float32Array, quantized?.logits as Float32Array];
    const flips = Array.from({ length: 24 }, (_, i) => classOf(y, i) !== classOf(q, i)).filter(Boolean).length;
    assert.equal(found.flips, flips);
    const mse = y.reduce((sum, value, i) => sum + ((q[i] as number) - value) ** 2, 0) / y.length;
    near(found.logits.mse, mse, SUMS, 'mse of the logits');
    assert.ok(flips > 0);
    // The last layer is the logits.
    assert.deepEqual(layers.at(-1)?.accumulated.mse, found.logits.mse);
  });

  it('with one layer quantized no error enters, and the layer alone is the layer in place', async () => {
    const last = names.at(-1) as string;
    for (const node of [names[3] as string, last]) {
      const { layers } = await profile(graph, samples, { policy: excluding(graph, node, 'W4A4') });
      const own = layers.find((layer) => layer.node === node);
      assert.ok(own?.isolated);
      assert.deepEqual(own.isolated, own.inPlace);
      assert.equal(own.accumulated.propagatedMse, 0);
      assert.ok(own.accumulated.localMse > 0);
      for (const layer of layers) {
        if (layer.node === node) continue;
        assert.equal(layer.isolated, undefined);
        assert.equal(layer.accumulated.localMse, 0);
        // Of a sum of two values only the later branch has the error of both.
        if (layer.accumulated.mse > 0) assert.equal(layer.accumulated.propagatedShare, 1);
      }
    }
    // No activation function follows the logits: their error is that of the product. The bias is fused in one rounding.
    const { layers } = await profile(graph, samples, { policy: excluding(graph, last, 'W4A4') });
    const { isolated, accumulated } = layers.at(-1) as Profile['layers'][number];
    near(accumulated.mse, isolated?.mse ?? 0, 1e-4, 'mse');
  });

  it('incoming and added error make the total: shares, and the same layer alone', async () => {
    const { layers } = await profile(graph, samples, { policy: uniformPolicy(graph, 'W4A4') });
    const [first, ...others] = layers;
    assert.equal(first?.accumulated.propagatedMse, 0);
    for (const { node, accumulated, channels, isolated } of others) {
      assert.ok(accumulated.propagatedShare > 0.1 && accumulated.propagatedShare < 1.1, node);
      const mean = channels.reduce((sum, { mse }) => sum + mse, 0) / channels.length;
      near(accumulated.mse, mean, SUMS, `${node}: mse of the channels`);
      assert.ok((isolated?.sqnrDb ?? 0) > accumulated.sqnrDb, node);
    }
  });

  it('finds the channel that sets the range, and the spread of the samples', async () => {
    const b = new GraphBuilder('outliers');
    const random = new Random(3);
    const x = b.input('input', ['N', 8, 3, 3]);
    b.output(b.node('conv', 'Conv', [x, b.initializer('w', randomTensor(random, [4, 8, 1, 1]))]));
    const { data } = randomTensor(random, [6, 8, 3, 3]);
    for (let sample = 0; sample < 6; sample++) {
      for (let i = 0; i < 9; i++) (data[(sample * 8 + 5) * 9 + i] as number) *= 100;
      if (sample === 2) for (let i = 0; i < 72; i++) (data[sample * 72 + i] as number) *= 16;
    }
    const net = b.build();
    const { layers } = await profile(net, tensorSamples(net, floats([6, 8, 3, 3], data)));
    const [{ inputs, ranges }] = layers as unknown as [Required<Profile['layers'][number]>];
    assert.deepEqual(
      inputs?.outliers.map(({ channel, setsRange }) => [channel, setsRange]),
      [[5, 1]],
    );
    assert.ok((inputs?.outliers[0]?.timesMedian ?? 0) > 30);
    assert.equal(ranges?.ranges, 6);
    assert.ok((ranges?.spread ?? 0) > 8);
    assert.equal(
      ranges?.histogram.counts.reduce((sum, count) => sum + count, 0),
      6,
    );
  });

  it('takes per-tensor weights and ranges, saturating arithmetic, and reduced weights where they have 8 bits', async () => {
    const own = async (options: ProfileOptions) => (await profile(graph, samples, options)).layers;
    const plain = await own({});
    const coarse = await own({ policy: uniformPolicy(graph, 'W8A8/wtensor') });
    const noise = (layers: Profile['layers']) => layers.reduce((sum, { isolated }) => sum + (isolated?.mse ?? 0), 0);
    assert.ok(noise(coarse) > noise(plain));
    assert.ok(noise(await own({ policy: uniformPolicy(graph, 'W8A8/tensor'), batchSize: 24 })) > noise(plain));
    const saturating = await own({ arithmetic: 'saturating16' });
    assert.ok(saturating.some(({ isolated }) => (isolated?.saturations ?? 0) > 0));
    const reduced = await own({ arithmetic: 'saturating16', reduceRange: true });
    assert.ok(reduced.every(({ isolated }) => isolated?.saturations === 0));
    assert.ok(reduced.every(({ isolated }) => isolated?.weights.largestCode === 64));
  });

  it('signals, [N, C, L]: with one layer quantized no error enters, and isolated error is what the evaluator has', async () => {
    const net = signals();
    const data = tensorSamples(net, randomTensor(new Random(4), [5, 4, 20]));
    for (const node of ['first', 'second', 'logits']) {
      const { layers } = await profile(net, data, { policy: excluding(net, node, 'W4A4') });
      const own = layers.find((layer) => layer.node === node);
      assert.equal(own?.accumulated.propagatedMse, 0);
      assert.deepEqual(own?.isolated, own?.inPlace);
      // Nothing but a bias stands between the product and what is compared, where no ReLU follows.
      if (node !== 'first') near(own?.accumulated.mse ?? 0, own?.isolated?.mse ?? 0, 1e-4, node);
    }
  });

  it('outputs by the hundred thousand, as recognizers have', async () => {
    const b = new GraphBuilder('wide');
    const x = b.input('input', ['N', 2]);
    const y = b.node('product', 'MatMul', [x, b.initializer('w', randomTensor(new Random(1), [2, 4]))]);
    b.output(b.node('wide', 'Tile', [y, b.initializer('repeats', integers([1, 50_000]))]));
    const wide = b.build();
    const { network: found } = await profile(wide, tensorSamples(wide, randomTensor(new Random(2), [2, 2])));
    assert.ok(found.logits.maxAbsError > 0);
  });

  it('one image, constant images, and images without labels', async () => {
    const { labels: _, ...unlabelled } = blobs(2);
    for (const set of [blobs(1), { ...blobs(3), pixels: new Uint8Array(3 * 144).fill(128) }, unlabelled]) {
      const { network: found, layers } = await profile(graph, imageSamples(graph, set, PLAIN));
      assert.equal(found.accuracy === undefined, !('labels' in set));
      for (const { accumulated } of layers) assert.ok(accumulated.mse >= 0 && Number.isFinite(accumulated.mse));
    }
  });

  it('asks for one batch at a time, and stops when called off', async () => {
    let asked = 0;
    const counted: Samples = {
      ...samples,
      *batches(size) {
        for (const batch of samples.batches(size)) {
          asked += 1;
          yield batch;
        }
      },
    };
    const abort = new AbortController();
    const onProgress = (done: number) => {
      assert.equal(asked, done);
      if (done === 3) abort.abort(new Error('enough'));
    };
    await assert.rejects(profile(graph, counted, { batchSize: 1, signal: abort.signal, onProgress }), /enough/);
    assert.ok(asked <= 4);
  });

  it('refuses a policy that does not fit and a network of token ids', async () => {
    const policy: Policy = {
      schemes: new Map([['absent', schemeOf(8, 8)]]),
      excluded: new Set(),
    };
    await assert.rejects(profile(graph, samples, { policy }), (error: Error) => error instanceof GraphError);
    assert.throws(
      () => tensorSamples(transformer(), floats([1, TOKENS], new Float32Array(TOKENS))),
      /one float32 input/,
    );
  });
});
