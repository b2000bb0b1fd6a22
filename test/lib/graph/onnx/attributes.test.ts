// Attributes of nodes as messages: every kind there and back, and the kinds that are refused.
import assert from 'node:assert/strict';
import { operatorOf } from '../../../../lib/graph/check.js';
import type { AttributeValue } from '../../../../lib/graph/graph.js';
import { AttributeError, attributeFromProto, attributesToProto } from '../../../../lib/graph/onnx/attributes.js';
import { fromBigInt } from '../../../../lib/graph/onnx/messages.js';
import { floats } from '../../../../lib/tensor/host_tensor.js';
import { node } from '../../../support/graphs.js';

describe('attributes as messages', () => {
  it('come back as they were', () => {
    const cases: [string, Record<string, AttributeValue>][] = [
      ['Constant', { value_float: 0.5, value_int: -7 }],
      ['Constant', { value_ints: [1, -2], value_floats: [0.25, -1] }],
      ['Constant', { value: floats([2], [1, -0]) }],
      ['Conv', { auto_pad: 'SAME_UPPER', kernel_shape: [3, 3], group: 2 }],
      ['Constant', {}],
    ];
    for (const [operator, attributes] of cases) {
      const each = { ...node('n', [], ['y'], operator), attributes };
      const protos = attributesToProto(each, operatorOf(each));
      const back = protos.map((proto) => attributeFromProto(proto, 'm.onnx'));
      assert.deepEqual(Object.fromEntries(back), attributes);
    }
  });

  it('read absent fields as zero and empty', () => {
    const read = (type: number) => attributeFromProto({ name: 'a', type }, 'm.onnx')[1];
    assert.deepEqual([1, 2, 3, 6, 7, 8].map(read), [0, 0, '', [], [], []]);
  });

  it('take integers of a list beyond ±2^53 for the end, and keep those of a constant', () => {
    const [most, least] = [(1n << 63n) - 1n, -(1n << 63n)];
    const list = [most, least].map(fromBigInt);
    const [, ends] = attributeFromProto({ name: 'ends', type: 7, ints: [1, ...list] }, 'm.onnx');
    assert.deepEqual(ends, [1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]);
    const [name, exact] = attributeFromProto({ name: 'value_ints', type: 7, ints: list }, 'm.onnx');
    assert.deepEqual([name, exact], ['value', { dtype: 'int64', dims: [2], data: BigInt64Array.of(most, least) }]);
  });

  it('are refused where no operator of ours takes them', () => {
    const refused = (proto: object, message: RegExp) =>
      assert.throws(
        () => attributeFromProto({ name: 'a', ...proto }, 'm.onnx'),
        (error) => error instanceof AttributeError && message.test(error.message),
      );
    refused({ type: 5, g: {} }, /attribute a is of a kind that is not supported \(5\)/);
    refused({}, /not supported \(0\)/);
    refused({ type: 4 }, /not supported \(4\)/); // a tensor that is not there
    refused({ type: 2, refAttrName: 'b' }, /refers to a function's/);
    refused({ type: 2, i: { low: 0, high: 2 ** 30, unsigned: false } }, /beyond ±2\^53/);
  });
});
