// Tensors of the ONNX integer operators: what is checked of type, array and shape.
import assert from 'node:assert/strict';
import {
  type OnnxTensor,
  onnxTensor,
  requireScalar,
  requireTensor,
  requireZeroPoint,
} from '../../../lib/native/onnx_tensor.js';

describe('ONNX tensors', () => {
  it('are zeros of their shape without data', () => {
    assert.deepEqual(onnxTensor('int16', [2, 3]).data, new Int16Array(6));
    assert.equal(onnxTensor('float32', []).data.length, 1);
    assert.equal(onnxTensor('int4', [3]).data.constructor, Int8Array);
  });

  it('are refused when type, array or shape do not fit', () => {
    const refused = (tensor: unknown, message: RegExp) =>
      assert.throws(() => requireTensor('f', 'x', tensor as OnnxTensor, ['uint8', 'int8']), message);
    requireTensor('f', 'x', onnxTensor('int8', [2]), ['uint8', 'int8']);
    refused(undefined, /f: x: expected a tensor of uint8 or int8, received undefined/);
    refused(onnxTensor('int32', [1]), /received int32/);
    refused(
      { dtype: 'uint8', dims: [1], data: new Int8Array(1) },
      /expected Uint8Array for uint8, received Int8Array\(1\)/,
    );
    refused({ dtype: 'uint8', dims: [2], data: new Uint8Array(1) }, /expected 2 elements for shape \[2\], received 1/);
    refused({ dtype: 'uint8', dims: [-1], data: new Uint8Array(1) }, /dims of integers ≥ 0/);
  });

  it('have zero points of their own type, and scalars of one element', () => {
    requireZeroPoint('f', 'z', undefined, onnxTensor('int8', [2]));
    assert.throws(() => requireZeroPoint('f', 'z', onnxTensor('uint8', []), onnxTensor('int8', [2])), /received uint8/);
    assert.equal(requireScalar('f', 's', onnxTensor('float32', [1], Float32Array.of(0.5))), 0.5);
    assert.throws(() => requireScalar('f', 's', onnxTensor('float32', [2])), /expected a scalar, received shape \[2\]/);
  });
});
