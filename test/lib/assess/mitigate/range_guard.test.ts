// The guard on ranges: nothing changes for images within the range; a bright pixel loses its hold; and where the range is
// not the cause, it does not help.

import assert from 'node:assert/strict';
import { corruptionGrid } from '../../../../lib/assess/measure/corruption_grid.js';
import { Measurer } from '../../../../lib/assess/measure/measurer.js';
import { guardRanges } from '../../../../lib/assess/mitigate/range_guard.js';
import { imageSamples } from '../../../../lib/assess/samples.js';
import { parseCorruptions } from '../../../../lib/data/corruptions.js';
import { GraphError } from '../../../../lib/graph/errors.js';
import type { Graph } from '../../../../lib/graph/graph.js';
import { exportModel } from '../../../../lib/graph/onnx/export.js';
import { importModel } from '../../../../lib/graph/onnx/import.js';
import { clipValues } from '../../../../lib/graph/passes/clip_values.js';
import { runReference } from '../../../../lib/graph/reference.js';
import { uniformPolicy } from '../../../../lib/policy/policy.js';
import { runFloat } from '../../../../lib/runtime/backends/float.js';
import { floats } from '../../../../lib/tensor/host_tensor.js';
import { blobs, PLAIN, trainedOnBlobs } from '../../../support/assess_networks.js';

describe('guardRanges', () => {
  const set = blobs(120, 3);
  let graph: Graph;
  before(async () => {
    graph = await trainedOnBlobs();
  });

  for (const where of ['input', 'products'] as const) {
    it(`leaves every bit of what it was calibrated on (${where})`, async () => {
      const samples = imageSamples(graph, set, PLAIN);
      const { graph: guarded, ranges } = await guardRanges(graph, samples, { where, batchSize: 50 });
      assert.equal(ranges.size, where === 'input' ? 1 : 3);
      assert.equal(guarded.nodes.filter(({ operator }) => operator === 'Clip').length, ranges.size);
      const run = async (network: Graph) => {
        const measurer = new Measurer(network);
        const policies = ['W8A8', 'W4A4'].map((bits) => uniformPolicy(network, bits));
        const outcomes = await measurer.run(samples, policies).finally(() => measurer.dispose());
        return outcomes.map(({ answers, margins }) => [answers, margins]);
      };
      const [[plain], ours] = [await run(graph), await run(guarded)];
      // Quantized, activations inside may leave the range of full precision.
      if (where === 'input') assert.deepEqual(ours, await run(graph));
      else assert.deepEqual(plain?.[0], ours[0]?.[0]);
    });
  }

  it('takes the ranges over from a bright pixel, and does nothing for lost contrast', async () => {
    const samples = imageSamples(graph, blobs(120, 8), PLAIN);
    const guarded = (await guardRanges(graph, samples)).graph;
    const accuracy = async (network: Graph) => {
      const { conditions } = await corruptionGrid(network, set, PLAIN, {
        policies: [{ name: 'W4A4', policy: uniformPolicy(network, 'W4A4') }],
        corruptions: parseCorruptions('bright_pixel:x32,contrast:5'),
      });
      return conditions.map(({ policies }) => policies[0]?.accuracy ?? Number.NaN);
    };
    const [[brightBefore = 1, dullBefore], [brightAfter = 0, dullAfter]] = [
      await accuracy(graph),
      await accuracy(guarded),
    ];
    assert.ok(brightBefore < 0.7, `${brightBefore}`);
    assert.ok(brightAfter > 0.9, `${brightAfter}`);
    assert.equal(dullAfter, dullBefore);
  });

  it('adds the margin it is given, and refuses others', async () => {
    const samples = imageSamples(graph, set, PLAIN);
    const [plain] = (await guardRanges(graph, samples)).ranges.values();
    const [wide] = (await guardRanges(graph, samples, { margin: 0.5 })).ranges.values();
    const [low = 0, high = 0] = plain ?? [];
    assert.deepEqual(wide, [low - (high - low) / 2, high + (high - low) / 2]);
    await assert.rejects(guardRanges(graph, samples, { margin: -1 }), /margin: expected a number ≥ 0, received -1/);
  });

  it('writes Clip nodes that a file keeps', async () => {
    const { graph: guarded } = await guardRanges(graph, imageSamples(graph, set, PLAIN), { where: 'products' });
    const read = importModel(exportModel(guarded)).graph;
    const x = floats(
      [1, 1, 12, 12],
      Array.from({ length: 144 }, (_, i) => i - 50),
    );
    const [name = ''] = graph.inputs.map((input) => input.name);
    const [ours, theirs] = [runFloat(read, { [name]: x }), runReference(read, { [name]: x })];
    const plain = runFloat(graph, { [name]: x });
    const output = graph.outputs[0]?.name ?? '';
    const values = (results: typeof ours) => [...((results.get(output)?.data ?? []) as Float32Array)];
    // Sums of a few hundred products of values below 10.
    values(ours).forEach((value, i) => {
      assert.ok(Math.abs(value - (values(theirs)[i] as number)) < 1e-3);
    });
    assert.notDeepEqual(values(ours), values(plain));
  });
});

describe('clipValues', () => {
  it('refuses names that no node gives, and ranges that hold nothing', async () => {
    const graph = await trainedOnBlobs();
    const [input = ''] = graph.inputs.map(({ name }) => name);
    const refused = (name: string, range: readonly [number, number]) =>
      assert.throws(() => clipValues(graph, new Map([[name, range]])), GraphError);
    refused('nothing', [0, 1]);
    refused(input, [1, 0]);
    refused(input, [0, Number.POSITIVE_INFINITY]);
    assert.equal(clipValues(graph, new Map()).graph, graph);
  });
});
