// Networks of kinds that lib/models does not have, through builder, shapes, file and onnxruntime: a transformer encoder,
// and MobileNetV3's block of squeeze and excitation.
import assert from 'node:assert/strict';
import { GraphBuilder } from '../../../lib/graph/builder.js';
import { quantizableNodes } from '../../../lib/graph/check.js';
import type { Graph } from '../../../lib/graph/graph.js';
import { inferShapes } from '../../../lib/graph/infer.js';
import { exportModel } from '../../../lib/graph/onnx/export.js';
import { importModel } from '../../../lib/graph/onnx/import.js';
import { runReference } from '../../../lib/graph/reference.js';
import { floats, type HostTensor, hostTensor, integers, sizeOf } from '../../../lib/tensor/host_tensor.js';
import { Random } from '../../../lib/tensor/random.js';
import { randomTensor, relativeDifference, runOnnxruntime } from '../../support/onnxruntime.js';

/** The bound on exported models. */
const MAX_RELATIVE_DIFFERENCE = 1e-4;

const TOKENS = 5;
const WIDTH = 12;
const HEADS = 3;
const VOCABULARY = 20;

/** Token ids [N, 5] → logits [N, 4]: embedding, one encoder layer (Vaswani et al., arXiv 1706.03762), mean, linear. */
function transformer(): Graph {
  const random = new Random(11);
  const b = new GraphBuilder('transformer', 20);
  const weight = (name: string, dims: readonly number[]) => {
    const scale = 1 / Math.sqrt(dims[0] as number);
    const { data } = randomTensor(random.split(name), dims);
    return b.initializer(
      name,
      floats(
        dims,
        data.map((value) => value * scale),
      ),
    );
  };
  const linear = (name: string, x: string, inputs: number, outputs: number) => {
    const product = b.node(`${name}.product`, 'MatMul', [x, weight(`${name}.weight`, [inputs, outputs])]);
    return b.node(name, 'Add', [product, weight(`${name}.bias`, [outputs])]);
  };
  const norm = (name: string, x: string) => {
    return b.node(name, 'LayerNormalization', [x, weight(`${name}.scale`, [WIDTH]), weight(`${name}.bias`, [WIDTH])]);
  };
  const ids = b.input('ids', ['N', TOKENS], 'int64');
  const embedded = b.node('embedding', 'Gather', [weight('table', [VOCABULARY, WIDTH]), ids]);
  const x = b.node('position', 'Add', [embedded, weight('positions', [TOKENS, WIDTH])]);
  const split = b.initializer('heads', integers([0, TOKENS, HEADS, -1]));
  const heads = (name: string, perm: number[]) => {
    const parts = b.node(`${name}.heads`, 'Reshape', [linear(name, x, WIDTH, WIDTH), split]);
    return b.node(`${name}.turned`, 'Transpose', [parts], { attributes: { perm } });
  };
  const scores = b.node('scores', 'MatMul', [heads('query', [0, 2, 1, 3]), heads('key', [0, 2, 3, 1])]);
  const scaled = b.node('scaled', 'Mul', [scores, b.initializer('scale', floats([], [Math.sqrt(HEADS / WIDTH)]))]);
  const attention = b.node('attention', 'Softmax', [scaled]);
  const mixed = b.node('mixed', 'MatMul', [attention, heads('value', [0, 2, 1, 3])]);
  const turned = b.node('turned', 'Transpose', [mixed], { attributes: { perm: [0, 2, 1, 3] } });
  const joined = b.node('joined', 'Reshape', [turned, b.initializer('width', integers([0, 0, -1]))]);
  const first = norm('norm1', b.node('residual1', 'Add', [x, linear('out', joined, WIDTH, WIDTH)]));
  const hidden = b.node('gelu', 'Gelu', [linear('up', first, WIDTH, 24)]);
  const second = norm('norm2', b.node('residual2', 'Add', [first, linear('down', hidden, 24, WIDTH)]));
  const axes = b.initializer('axes', integers([1]));
  const pooled = b.node('pooled', 'ReduceMean', [second, axes], { attributes: { keepdims: 0 } });
  b.output(linear('logits', pooled, WIDTH, 4));
  return b.build();
}

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
