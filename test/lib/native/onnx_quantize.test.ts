// What the ONNX quantization operators do beyond the cases that ONNX Runtime is compared in (test/conformance).
import assert from 'node:assert/strict';
import { dequantizeLinear, dynamicQuantizeLinear, quantizeLinear } from '../../../lib/native/onnx_quantize.js';
import { onnxTensor } from '../../../lib/native/onnx_tensor.js';

describe('quantizeLinear, dequantizeLinear and dynamicQuantizeLinear', () => {
  it('know 4-bit codes, one a byte', () => {
    const x = onnxTensor('float32', [2, 3], Float32Array.of(-9, -1, 0.5, 1.5, 7, 100));
    const y_scale = onnxTensor('float32', [], Float32Array.of(1));
    const signed = quantizeLinear({ x, y_scale, y_zero_point: onnxTensor('int4', [], Int8Array.of(1)) });
    assert.deepEqual(signed, onnxTensor('int4', [2, 3], Int8Array.of(-8, 0, 1, 3, 7, 7)));
    const unsigned = quantizeLinear({ x, y_scale }, { output_dtype: 'uint4' });
    assert.deepEqual(unsigned, onnxTensor('uint4', [2, 3], Uint8Array.of(0, 0, 0, 2, 7, 15)));
    const back = dequantizeLinear({
      x: signed,
      x_scale: y_scale,
      x_zero_point: onnxTensor('int4', [], Int8Array.of(1)),
    });
    assert.deepEqual(back.data, Float32Array.of(-9, -1, 0, 2, 6, 6));
  });

  it('saturate infinities, take int32 and refuse NaN', () => {
    const y_scale = onnxTensor('float32', [], Float32Array.of(0.5));
    const infinite = onnxTensor('float32', [3], Float32Array.of(Number.NEGATIVE_INFINITY, 1, Number.POSITIVE_INFINITY));
    assert.deepEqual(quantizeLinear({ x: infinite, y_scale }).data, Uint8Array.of(0, 2, 255));
    const x = onnxTensor('int32', [2], Int32Array.of(3, -1));
    assert.deepEqual(quantizeLinear({ x, y_scale }, { output_dtype: 'int16' }).data, Int16Array.of(6, -2));
    const nan = onnxTensor('float32', [2, 2], Float32Array.of(0, 1, 2, Number.NaN));
    assert.throws(() => quantizeLinear({ x: nan, y_scale }), /x: expected finite values, received NaN in row 1/);
    assert.throws(
      () => dynamicQuantizeLinear({ x: infinite }),
      /x: expected finite values, received NaN or infinity in row 0/,
    );
  });
});
