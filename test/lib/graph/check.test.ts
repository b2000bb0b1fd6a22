// Whether nodes are ones we know: attributes, numbers of inputs, operator sets; and which can be quantized.
import assert from 'node:assert/strict';
import { GraphBuilder } from '../../../lib/graph/builder.js';
import {
  irVersionOf,
  isLiteral,
  isQuantizable,
  nodeProblem,
  operatorOf,
  quantizableNodes,
} from '../../../lib/graph/check.js';
import type { AttributeValue } from '../../../lib/graph/graph.js';
import { floats, hostTensor } from '../../../lib/tensor/host_tensor.js';
import { node, refuses } from '../../support/graphs.js';

describe('checking nodes', () => {
  const problem = (operator: string, inputs: string[], attributes: Record<string, AttributeValue> = {}, opset = 17) =>
    nodeProblem({ ...node('n', inputs, ['y'], operator), attributes }, opset);

  it('finds nothing wrong with nodes that fit', () => {
    assert.equal(problem('Relu', ['x']), undefined);
    assert.equal(problem('Clip', ['x', '', 'high']), undefined);
    assert.equal(problem('Softmax', ['x'], { axis: -1 }), undefined);
  });

  it('says what is wrong', () => {
    assert.equal(problem('Nope', ['x']), 'unknown operator');
    assert.equal(problem('Relu', []), 'expected 1 inputs, received 0');
    assert.equal(problem('Conv', ['x']), 'expected 2 to 3 inputs, received 1');
    assert.equal(problem('Relu', ['x'], { alpha: 1 }), 'attribute alpha is not supported');
    assert.equal(problem('Relu', ['x'], { toString: 1 }), 'attribute toString is not supported');
    assert.equal(problem('Softmax', ['x'], { axis: 1.5 }), 'attribute axis: expected int');
    assert.equal(problem('Concat', ['x', ''], { axis: 0 }), 'an input is left out');
    assert.match(
      problem('LayerNormalization', ['x', 's'], {}, 16) ?? '',
      /expected operator set 17 or later, received 16/,
    );
  });

  it('pairs operator sets with the versions of the file format that ONNX lists', () => {
    // ONNX's versioning document: IR 7 with opset 13 and 14, 8 with 15 to 18, 9 with 19 and 20, 10 with 21.
    const pairs = [13, 14, 15, 18, 19, 20, 21].map((opset) => [opset, irVersionOf(opset)]);
    assert.deepEqual(pairs, [
      [13, 7],
      [14, 7],
      [15, 8],
      [18, 8],
      [19, 9],
      [20, 9],
      [21, 10],
    ]);
  });

  it('knows literals', () => {
    assert.ok(isLiteral(node('c', [], ['y'], 'Constant')));
    assert.ok(!isLiteral(node('c', ['x'], ['y'])));
    refuses(() => operatorOf(node('c', ['x'], ['y'], 'Nope')), /Nope \(c\): unknown operator/);
  });

  it('quantizes products with a float32 constant, and no others', () => {
    const b = new GraphBuilder('test');
    const x = b.input('x', ['N', 4]);
    const w = b.initializer('w', floats([4, 4], new Float32Array(16)));
    const constant = b.node('constant', 'MatMul', [x, w]);
    const computed = b.node('computed', 'MatMul', [constant, b.node('relu', 'Relu', [w])]);
    b.output(computed);
    const wide = b.initializer('wide', hostTensor('float64', [4, 4], new Float64Array(16)));
    b.output(b.node('double', 'MatMul', [b.input('d', ['N', 4], 'float64'), wide]));
    const graph = b.build();
    assert.deepEqual(
      quantizableNodes(graph).map(({ name }) => name),
      ['constant'],
    );
    assert.ok(!isQuantizable(graph, graph.node('relu')));
  });
});
