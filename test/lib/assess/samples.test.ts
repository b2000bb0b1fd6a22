// Samples: what does not fit the network is refused before any work, and orders of dimensions mean the same image.
import assert from 'node:assert/strict';
import { profile } from '../../../lib/assess/profile/profile.js';
import { freeBatch, imageSamples, tensorSamples } from '../../../lib/assess/samples.js';
import { assess } from '../../../lib/assess/verdict/assess.js';
import { InvalidArgumentError } from '../../../lib/core/errors.js';
import { GraphBuilder } from '../../../lib/graph/builder.js';
import { type Dim, UNKNOWN } from '../../../lib/graph/dims.js';
import type { Graph } from '../../../lib/graph/graph.js';
import { inferShapes } from '../../../lib/graph/infer.js';
import { outputOf } from '../../../lib/graph/output.js';
import { classification } from '../../../lib/tasks/classification.js';
import { floats, integers } from '../../../lib/tensor/host_tensor.js';
import { Random } from '../../../lib/tensor/random.js';
import { blobs, network, PLAIN } from '../../support/assess_networks.js';
import { randomTensor } from '../../support/onnxruntime.js';

const refuses = (work: () => unknown, message: RegExp) =>
  assert.throws(work, (error: Error) => error instanceof InvalidArgumentError && message.test(error.message));

describe('samples', () => {
  const graph = network('convnet2', [1, 12, 12]);

  it('refuses images of another size and labels the network has no class for, naming both', () => {
    refuses(() => imageSamples(graph, blobs(3, 1, 10), PLAIN), /\[N,1,12,12\].*received \[N,1,10,10\]/);
    refuses(() => imageSamples(graph, blobs(40, 1, 12, 6), PLAIN), /labels from 0 to 3.*at sample \d+/);
    refuses(
      () => imageSamples(graph, { ...blobs(3), labels: Int32Array.of(0) }, PLAIN),
      /each of 3 samples, received 1/,
    );
    refuses(() => imageSamples(graph, { ...blobs(1), count: 0, pixels: new Uint8Array(0) }, PLAIN), /one or more/);
    refuses(() => tensorSamples(graph, floats([2, 1, 12], new Float32Array(24))), /\[N,1,12,12\]/);
    refuses(() => tensorSamples(graph, floats([0, 1, 12, 12], [])), /one or more samples/);
    const broken = new Float32Array(2 * 144);
    broken[150] = Number.NaN;
    refuses(() => tensorSamples(graph, floats([2, 1, 12, 12], broken)), /finite numbers, received NaN in sample 1/);
  });

  it('batches hold all samples once, in order, whatever their size', () => {
    const set = blobs(10);
    const all = [...imageSamples(graph, set, PLAIN).batches(10)][0];
    for (const size of [1, 3, 64]) {
      let seen = 0;
      for (const batch of imageSamples(graph, set, PLAIN).batches(size)) {
        assert.equal(batch.start, seen);
        assert.deepEqual(batch.dims, [batch.count, 1, 12, 12]);
        assert.deepEqual([...batch.inputs], [...(all?.inputs.subarray(144 * seen, 144 * (seen + batch.count)) ?? [])]);
        assert.deepEqual(
          [...(batch.labels as Int32Array)],
          [...(set.labels as Int32Array).subarray(seen, seen + batch.count)],
        );
        seen += batch.count;
      }
      assert.equal(seen, 10);
    }
  });

  it('are rows or sequences where the network takes those', () => {
    const set = blobs(4);
    const [images] = imageSamples(graph, set, PLAIN).batches(4);
    for (const dims of [
      ['N', 12, 12],
      ['N', 144],
    ]) {
      const other = new GraphBuilder('relu');
      other.output(other.node('r', 'Relu', [other.input('x', dims)]));
      const samples = imageSamples(other.build(), set, PLAIN);
      assert.deepEqual(samples.dims, dims.slice(1));
      const [batch] = samples.batches(4);
      assert.deepEqual([batch?.dims, batch?.layout], [[4, ...dims.slice(1)], 'rows']);
      assert.deepEqual([...(batch?.inputs ?? [])], [...(images?.inputs ?? [])]);
    }
  });

  it('say when the output is no logits: more than one dimension that is not 1', () => {
    const doubt = (...dims: Dim[]) => {
      const b = new GraphBuilder('g');
      b.output(b.node('r', 'Relu', [b.input('x', dims)]));
      return classification.doubt(outputOf(b.build()), true);
    };
    for (const dims of [['N', 10], ['N', 10, 1, 1], ['N', 10, UNKNOWN, UNKNOWN], ['N']]) {
      assert.equal(doubt(...dims), undefined, String(dims));
    }
    assert.match(doubt('N', 21, 8, 8) ?? '', /^output "r" is \[N,21,8,8\], no logits/);
    assert.match(doubt('N', 'T', 100) ?? '', /no logits/);
  });

  it('draws as many as expected by the seed, in their order', () => {
    const set = { ...blobs(50), labels: Int32Array.from({ length: 50 }, (_, i) => i % 4) };
    const drawn = (seed: number) => [...(imageSamples(graph, set, PLAIN, { count: 9, seed }).labels as Int32Array)];
    assert.equal(drawn(1).length, 9);
    assert.deepEqual(drawn(1), drawn(1));
    assert.notDeepEqual(drawn(1), drawn(2));
  });

  it('frees a fixed batch where nothing inside depends on it, and says so where it does', () => {
    const build = (shape: readonly number[]): Graph => {
      const b = new GraphBuilder('fixed');
      const x = b.input('input', [1, 2, 3]);
      b.output(b.node('flat', 'Reshape', [x, b.initializer('shape', integers(shape))]));
      return b.build();
    };
    for (const shape of [
      [0, -1],
      [1, -1],
      [1, 6],
      [-1, 6],
    ]) {
      const free = freeBatch(build(shape));
      assert.equal(free.batch, undefined, String(shape));
      assert.deepEqual(inferShapes(free.graph, { inputs: { input: [5, 2, 3] } }).get('flat')?.dims, [5, 6]);
    }
    for (const shape of [[2, -1], [6], [2, 3]]) assert.equal(freeBatch(build(shape)).batch, 1, String(shape));
  });

  it('give a network that leaves sizes open theirs: not every network takes every size', async () => {
    const b = new GraphBuilder('open');
    const x = b.input('input', ['N', 1, 'H', 'W']);
    const weight = b.initializer('w', randomTensor(new Random(1), [6, 1, 3, 3]));
    const conv = b.node('conv', 'Conv', [x, weight], { attributes: { pads: [1, 1, 1, 1] } });
    const pooled = b.node('pool', 'MaxPool', [conv], { attributes: { kernel_shape: [5, 5] } });
    const mean = b.node('mean', 'GlobalAveragePool', [pooled]);
    // What exporters write for a flattening: sizes are tried for the open dimensions, one first.
    const count = b.node('count', 'Gather', [b.node('shape', 'Shape', [mean]), b.initializer('first', integers([0]))]);
    const shape = b.node('wanted', 'Concat', [count, b.initializer('rest', integers([6]))], {
      attributes: { axis: 0 },
    });
    const flat = b.node('flat', 'Reshape', [mean, shape]);
    b.output(b.node('logits', 'Gemm', [flat, b.initializer('v', randomTensor(new Random(2), [6, 4]))]));
    const open = b.build();
    assert.throws(() => inferShapes(open), /a window of \[5,5\] does not fit/);
    const set = imageSamples(open, blobs(50), PLAIN);
    refuses(() => imageSamples(open, blobs(40, 1, 12, 6), PLAIN), /labels from 0 to 3/);
    const { policies } = await assess(open, set, { search: false, policies: ['W8A8'] });
    assert.equal(policies.length, 1);
    assert.equal((await profile(open, set)).layers.length, 2);
  });
});
