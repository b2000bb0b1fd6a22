// Operator sets before 13: nodes in the words of 13.
import assert from 'node:assert/strict';
import { inferShapes } from '../../../../lib/graph/infer.js';
import type { NodeProto } from '../../../../lib/graph/onnx/messages.js';
import { tensorToProto } from '../../../../lib/graph/onnx/tensors.js';
import { floats } from '../../../../lib/tensor/host_tensor.js';
import { load, model } from '../../../support/onnx_model.js';

describe('upgrading', () => {
  it('upgrades operator sets before 13 node by node, and says so', () => {
    const nodes: NodeProto[] = [
      { opType: 'Clip', name: 'c', input: ['x'], output: ['a'], attribute: [{ name: 'max', type: 1, f: 6 }] },
      { opType: 'Softmax', name: 's', input: ['a'], output: ['y'], attribute: [{ name: 'axis', type: 2, i: 3 }] },
    ];
    const { graph, notes } = load(model(nodes, {}, 9));
    assert.equal(graph.opset, 13);
    assert.deepEqual(graph.node('c').inputs, ['x', '', 'c.max']);
    assert.deepEqual(graph.initializers.get('c.max'), floats([], [6]));
    assert.equal(notes.length, 2);
  });

  it('takes softmax over several dimensions for one of a matrix, nearest resizes for what they were', () => {
    const softmax = load(model([{ opType: 'Softmax', name: 's', input: ['x'], output: ['y'] }], {}, 9)).graph;
    assert.deepEqual(
      softmax.nodes.map(({ operator }) => operator),
      ['Flatten', 'Softmax', 'Reshape'],
    );
    const x = {
      name: 'x',
      type: { tensorType: { elemType: 1, shape: { dim: [2, 0, 4].map((dimValue) => ({ dimValue })) } } },
    };
    const empty = load(model([{ opType: 'Softmax', name: 's', input: ['x'], output: ['y'] }], { input: [x] }, 9)).graph;
    assert.deepEqual(inferShapes(empty).get('y')?.dims, [2, 0, 4]);
    const resize = (scales: number[]) =>
      load(
        model(
          [{ opType: 'Resize', name: 'r', input: ['x', 'scales'], output: ['y'] }],
          {
            initializer: [tensorToProto(floats([4], scales), 'scales')],
          },
          10,
        ),
      ).graph.nodes.map(({ name, attributes }) => [name, attributes.nearest_mode]);
    assert.deepEqual(resize([1, 1, 2, 2]), [['r', 'floor']]);
    assert.deepEqual(resize([1, 1, 0.5, 0.5]), [['r', 'ceil']]);
    assert.deepEqual(resize([1, 1, 2, 0.5]), [
      ['r.enlarged', 'floor'],
      ['r', 'ceil'],
    ]);
  });
});
