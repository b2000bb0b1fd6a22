// The reference interpreter: inputs are checked, inner values are returned on request.
import assert from 'node:assert/strict';
import { GraphBuilder } from '../../../lib/graph/builder.js';
import { runReference } from '../../../lib/graph/reference.js';
import { floats, hostTensor, zeros } from '../../../lib/tensor/host_tensor.js';
import { graphOf, node, refuses } from '../../support/graphs.js';

describe('the reference interpreter', () => {
  it('names the input that is missing or wrong', () => {
    const graph = graphOf([node('a', ['x'], ['y'])]);
    refuses(() => runReference(graph, {}), /input "x": expected a tensor, received none/);
    refuses(
      () => runReference(graph, { x: zeros('float32', [4]) }),
      /input "x": expected float32 \[N,4\], received float32 \[4\]/,
    );
    refuses(() => runReference(graph, { x: zeros('int8', [1, 4]) }), /received int8/);
  });

  it('returns inner values on request, in float64 as in float32', () => {
    const builder = new GraphBuilder('test');
    const relu = builder.node('relu', 'Relu', [builder.input('x', [2], 'float64')]);
    builder.output(builder.node('twice', 'Add', [relu, relu]));
    const x = hostTensor('float64', [2], Float64Array.of(-1, 0.1));
    const values = runReference(builder.build(), { x }, { keep: ['relu'] });
    assert.deepEqual(values.get('relu')?.data, Float64Array.of(0, 0.1));
    assert.deepEqual(values.get('twice')?.data, Float64Array.of(0, 0.2));
  });

  it('rounds half to even, to a 0 of the sign that the number had', () => {
    const builder = new GraphBuilder('test');
    builder.output(builder.node('y', 'Round', [builder.input('x', [7])]));
    const x = floats([7], [-1.5, -0.5, -0.3, 0.5, 1.5, 2.5, Number.NaN]);
    const y = runReference(builder.build(), { x }).get('y');
    assert.deepEqual(y, floats([7], [-2, -0, -0, 0, 2, 2, Number.NaN]));
  });
});
