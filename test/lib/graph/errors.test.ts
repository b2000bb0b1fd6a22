// The errors of graphs and files: their messages name the place, and stay of bounded length.
import assert from 'node:assert/strict';
import { GraphError, OnnxFormatError, UnsupportedOperatorsError } from '../../../lib/graph/errors.js';

describe('errors of graphs', () => {
  it('begin with the place', () => {
    const graph = new GraphError('Conv (a)', 'has no input');
    assert.deepEqual([graph.message, graph.code], ['Conv (a): has no input', 'ERR_FAULTLINE_GRAPH']);
    const file = new OnnxFormatError('m.onnx', 'holds no graph');
    assert.deepEqual([file.message, file.code], ['m.onnx: holds no graph', 'ERR_FAULTLINE_ONNX_FORMAT']);
  });

  it('list every unsupported node with its reason', () => {
    const error = new UnsupportedOperatorsError('m.onnx', [
      { operator: 'Einsum', node: 'e' },
      { operator: 'If', node: 'i', reason: 'holds a graph' },
    ]);
    assert.equal(error.message, 'm.onnx: 2 unsupported nodes\n  Einsum (e)\n  If (i): holds a graph');
    assert.match(
      new UnsupportedOperatorsError('m', [{ operator: 'If', node: 'i' }]).message,
      /^m: 1 unsupported node\n/,
    );
  });

  it('list a thousand at most, and keep them all', () => {
    const nodes = Array.from({ length: 1200 }, (_, i) => ({ operator: 'If', node: `n${i}` }));
    const error = new UnsupportedOperatorsError('m', nodes);
    assert.equal(error.message.split('\n').length, 1 + 1000 + 1);
    assert.match(error.message, /… and 200 more$/);
    assert.equal(error.nodes.length, 1200);
  });

  it('ask for the model in floating point where it is quantized already', () => {
    const says = (operator: string) =>
      new UnsupportedOperatorsError('m', [{ operator, node: 'n' }]).message.includes('quantized already');
    for (const operator of ['QLinearConv', 'ConvInteger', 'com.microsoft.MatMulNBits', 'DynamicQuantizeLinear']) {
      assert.ok(says(operator), operator);
    }
    assert.ok(!says('Einsum') && !says('com.Quantize.Einsum'));
  });
});
