// Building a graph node by node: names, types and refusals where the mistake is made.
import assert from 'node:assert/strict';
import { GraphBuilder } from '../../../lib/graph/builder.js';
import { floats } from '../../../lib/tensor/host_tensor.js';
import { refuses } from '../../support/graphs.js';

describe('GraphBuilder', () => {
  it('infers types as it goes and returns names', () => {
    const b = new GraphBuilder('test');
    const x = b.input('x', ['N', 6]);
    const w = b.initializer('w', floats([6, 4], new Float32Array(24)));
    const y = b.node('fc', 'MatMul', [x, w]);
    assert.equal(y, 'fc');
    assert.deepEqual(b.typeOf(y), { dtype: 'float32', dims: ['N', 4] });
    assert.ok(b.has('fc') && !b.has('fc.1'));
    assert.equal(b.node('parts', 'Split', [y], { attributes: { axis: 1 }, outputs: 2 }), 'parts');
    assert.deepEqual(b.typeOf('parts.1').dims, ['N', 2]);
    b.output('parts.1');
    const graph = b.build({ producerName: 'me' });
    assert.deepEqual(graph.node('parts').outputs, ['parts', 'parts.1']);
    assert.deepEqual(graph.outputs, [{ name: 'parts.1', dtype: 'float32', dims: ['N', 2] }]);
    assert.equal(graph.metadata.producerName, 'me');
    assert.equal(graph.metadata.irVersion, 8); // of operator set 17
  });

  it('keeps floats as a file has them, in float32', () => {
    const b = new GraphBuilder('test');
    b.output(b.node('y', 'LeakyRelu', [b.input('x', ['N'])], { attributes: { alpha: 0.1 } }));
    assert.equal(b.build().node('y').attributes.alpha, Math.fround(0.1));
  });

  it('refuses what does not fit, naming the node', () => {
    refuses(() => new GraphBuilder('old', 12), /^old: expected operator set 13 to 26, received 12/);
    const b = new GraphBuilder('test');
    const x = b.input('x', ['N', 6]);
    refuses(() => b.node('a', 'Nope', [x]), /^Nope \(a\): unknown operator/);
    refuses(() => b.node('a', 'Relu', ['z']), /^Relu \(a\): nothing produces its input "z"/);
    refuses(() => b.node('x', 'Relu', [x]), /^Relu \(x\): value "x" is defined twice/);
    refuses(() => b.initializer('x', floats([], [1])), /^test: value "x" is defined twice/);
    refuses(() => b.typeOf('z'), /^test: nothing produces "z"/);
    refuses(() => b.output('z'), /nothing produces "z"/);
    assert.ok(!b.has('a'));
  });
});
