// The helpers that operators' files share: attributes with defaults, checks of shapes, and refusals that name the node.
import assert from 'node:assert/strict';
import { operatorOf } from '../../../lib/graph/check.js';
import {
  attributesOf,
  floatData,
  integersOf,
  macsOf,
  none,
  outputTypes,
  required,
  resolveAxis,
  runNode,
  unknown,
} from '../../../lib/graph/operator.js';
import { floats, hostTensor, integers } from '../../../lib/tensor/host_tensor.js';
import { node, refuses } from '../../support/graphs.js';

const fail = (what: string): never => {
  throw new RangeError(what);
};

describe('operators: shared helpers', () => {
  it('fill in defaults of attributes', () => {
    const plain = node('s', ['x'], ['y'], 'Softmax');
    assert.equal(attributesOf(operatorOf(plain), plain).axis, -1);
    const other = { ...plain, attributes: { axis: 0 } };
    assert.equal(attributesOf(operatorOf(other), other).axis, 0);
  });

  it('answer several questions by one word', () => {
    assert.deepEqual(none('macs', 'float'), { macs: 'none', float: 'none' });
    assert.deepEqual(unknown('samples', 'channels'), { samples: 'unknown', channels: 'unknown' });
  });

  it('resolve axes from either end', () => {
    assert.deepEqual(
      [-3, -1, 0, 2].map((axis) => resolveAxis(axis, 3, 3, fail)),
      [0, 2, 0, 2],
    );
    assert.equal(resolveAxis(3, 4, 3, fail), 3); // Flatten may cut behind the last axis
    for (const axis of [-4, 3, 0.5]) assert.throws(() => resolveAxis(axis, 3, 3, fail), /outside a tensor of rank 3/);
  });

  it('read integers and floats, and refuse other types', () => {
    assert.deepEqual(integersOf(integers([0, -1]), 'shape', fail), [0, -1]);
    assert.throws(() => integersOf(floats([1], [1]), 'axes', fail), /expected axes as int64, received float32/);
    const large = hostTensor('int64', [1], BigInt64Array.of(2n ** 60n));
    assert.throws(() => integersOf(large, 'shape', fail), /too large/);
    assert.throws(() => floatData(integers([1]), fail), /expected float32 or float64 values, received int64/);
    assert.throws(() => required([undefined], 0), /expected input 0, received none/);
  });

  it('run a node by its reference, and count its multiplications', () => {
    const product = node('fc', ['a', 'b'], ['y'], 'MatMul');
    const [a, b] = [floats([2, 3], [1, 2, 3, 4, 5, 6]), floats([3, 1], [1, 10, 100])];
    const [y] = runNode(operatorOf(product), product, [a, b]);
    assert.deepEqual(y, floats([2, 1], [321, 654]));
    const types = [a, b].map(({ dtype, dims }) => ({ dtype, dims }));
    assert.equal(macsOf(operatorOf(product), product, types, { dtype: 'float32', dims: [2, 1] }), 6);
    const relu = node('r', ['a'], ['y']);
    assert.equal(macsOf(operatorOf(relu), relu, types, { dtype: 'float32', dims: [2, 3] }), 0);
  });

  it('refuse outputs that no tensor can have, naming the node', () => {
    const expand = node('e', ['x', 'shape'], ['y'], 'Expand');
    const input = { dtype: 'float32', dims: [1] } as const;
    const of =
      (...shape: number[]) =>
      () =>
        outputTypes(operatorOf(expand), expand, [input, { dtype: 'int64', dims: [shape.length] }], (index) =>
          index === 1 ? integers(shape) : undefined,
        );
    assert.deepEqual(of(2, 3)(), [{ dtype: 'float32', dims: [2, 3] }]);
    refuses(of(65536, 65536), /^Expand \(e\): its output would have the shape \[65536,65536\]/);
  });
});
