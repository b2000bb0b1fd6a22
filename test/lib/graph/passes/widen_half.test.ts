// Half-precision models in float32: the same values under another type, casts and constants included.
import assert from 'node:assert/strict';
import { GraphBuilder } from '../../../../lib/graph/builder.js';
import { inferShapes } from '../../../../lib/graph/infer.js';
import { numberOfDtype } from '../../../../lib/graph/onnx_types.js';
import { widenHalf } from '../../../../lib/graph/passes/widen_half.js';
import { runReference } from '../../../../lib/graph/reference.js';
import { floats, hostTensor } from '../../../../lib/tensor/host_tensor.js';

describe('widenHalf', () => {
  function half() {
    const b = new GraphBuilder('test');
    const x = b.input('x', ['N', 2], 'float16');
    const w = b.initializer('w', hostTensor('float16', [2], Float32Array.of(0.5, 65504)));
    const sum = b.node('sum', 'Add', [x, w]);
    b.output(b.node('y', 'Cast', [sum], { attributes: { to: numberOfDtype('bfloat16') } }));
    return b.build();
  }

  it('makes inputs, weights, casts and outputs float32', () => {
    const { graph, log } = widenHalf(half());
    assert.deepEqual([graph.inputs[0]?.dtype, graph.outputs[0]?.dtype], ['float32', 'float32']);
    assert.deepEqual(graph.initializers.get('w'), floats([2], [0.5, 65504]));
    assert.equal(graph.node('y').attributes.to, numberOfDtype('float32'));
    assert.ok([...inferShapes(graph).values()].every(({ dtype }) => dtype === 'float32'));
    assert.deepEqual(
      log.map(({ node }) => node),
      ['', 'y'],
    );
    assert.match(log[0]?.what ?? '', /^3 weights, inputs and outputs/);
  });

  it('computes in float32 from there on', () => {
    const { graph } = widenHalf(half());
    const y = runReference(graph, { x: floats([1, 2], [2 ** -20, 1]) }).get('y');
    assert.deepEqual(y, floats([1, 2], [0.5 + 2 ** -20, 65505])); // float16 holds neither
  });

  it('leaves a float32 graph as it is', () => {
    const b = new GraphBuilder('test');
    b.output(b.node('y', 'Relu', [b.input('x', ['N'])]));
    const graph = b.build();
    const result = widenHalf(graph);
    assert.equal(result.graph, graph);
    assert.deepEqual(result.log, []);
  });
});
