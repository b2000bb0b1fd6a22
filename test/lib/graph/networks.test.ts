// Networks of kinds that lib/models does not have, through builder, shapes, file and onnxruntime: a transformer encoder,
// and MobileNetV3's block of squeeze and excitation.
import assert from 'node:assert/strict';
import { sizeOf } from '../../../lib/core/shape.js';
import { GraphBuilder } from '../../../lib/graph/builder.js';
import { quantizableNodes } from '../../../lib/graph/check.js';
import type { Graph } from '../../../lib/graph/graph.js';
import { inferShapes } from '../../../lib/graph/infer.js';
import { exportModel } from '../../../lib/graph/onnx/export.js';
import { importModel } from '../../../lib/graph/onnx/import.js';
import { runReference } from '../../../lib/graph/reference.js';
import { type HostTensor, hostTensor } from '../../../lib/tensor/host_tensor.js';
import { Random } from '../../../lib/tensor/random.js';
import { randomTensor, relativeDifference, runOnnxruntime } from '../../support/onnxruntime.js';
import { TOKENS, transformer, VOCABULARY } from '../../support/transformer.js';

/** Float32 sums in another order, through some twenty layers. */
const MAX_RELATIVE_DIFFERENCE = 1e-4;

/** x [N, 8, 7, 7] → [N, 8, 7, 7]: depthwise, squeeze and excitation, hard-swish (Howard et al., arXiv 1905.02244). */
function mobilenetV3Block(): Graph {
  const random = new Random(12);
  const b = new GraphBuilder('block');
  const conv = (name: string, x: string, dims: [number, number, number, number], group = 1) => {
    const pad = (dims[2] - 1) / 2;
    const inputs = [
      x,
      b.initializer(`${name}.weight`, randomTensor(random, dims)),
      b.initializer(`${name}.bias`, randomTensor(random, [dims[0]])),
    ];
    return b.node(name, 'Conv', inputs, { attributes: { group, pads: [pad, pad, pad, pad] } });
  };
  const x = b.input('x', ['N', 8, 7, 7]);
  const expanded = b.node('swish', 'HardSwish', [conv('expand', x, [16, 8, 1, 1])]);
  const depthwise = conv('depthwise', expanded, [16, 1, 5, 5], 16);
  const squeezed = b.node('squeeze', 'GlobalAveragePool', [depthwise]);
  const reduced = b.node('relu', 'Relu', [conv('reduce', squeezed, [4, 16, 1, 1])]);
  const attributes = { alpha: 1 / 6 };
  const gate = b.node('gate', 'HardSigmoid', [conv('excite', reduced, [16, 4, 1, 1])], { attributes });
  const gated = b.node('gated', 'Mul', [depthwise, gate]);
  b.output(b.node('sum', 'Add', [conv('project', gated, [8, 16, 1, 1]), x]));
  return b.build();
}

async function check(graph: Graph, input: HostTensor, expectedDims: readonly number[]): Promise<void> {
  const name = graph.inputs[0]?.name as string;
  const output = graph.outputs[0]?.name as string;
  const imported = importModel(exportModel(graph)).graph;
  assert.deepEqual(imported, graph);
  const own = runReference(imported, { [name]: input }).get(output) as HostTensor;
  assert.deepEqual(own.dims, expectedDims);
  assert.deepEqual(inferShapes(graph).get(output)?.dims, ['N', ...expectedDims.slice(1)]);
  assert.deepEqual(inferShapes(graph, { inputs: { [name]: input.dims } }).get(output)?.dims, expectedDims);
  const theirs = (await runOnnxruntime(graph, { [name]: input })).get(output) as HostTensor;
  assert.ok(relativeDifference(own, theirs) <= MAX_RELATIVE_DIFFERENCE);
}

describe('other networks', () => {
  it('a transformer encoder gives the logits of onnxruntime', async () => {
    const random = new Random(13);
    const ids = BigInt64Array.from({ length: 3 * TOKENS }, () => BigInt(random.integer(VOCABULARY)));
    const graph = transformer();
    await check(graph, hostTensor('int64', [3, TOKENS], ids), [3, 4]);
    assert.deepEqual(
      quantizableNodes(graph).map(({ name }) => name),
      ['query.product', 'key.product', 'value.product', 'out.product', 'up.product', 'down.product', 'logits.product'],
    );
  });

  it("MobileNetV3's block gives the outputs of onnxruntime", async () => {
    const dims = [2, 8, 7, 7];
    const input = randomTensor(new Random(14), dims);
    assert.equal(input.data.length, sizeOf(dims));
    await check(mobilenetV3Block(), input, dims);
  });
});
