// ONNX's numbers of element types, those of onnx.proto's TensorProto.DataType.
import assert from 'node:assert/strict';
import { dtypeOfNumber, numberOfDtype } from '../../../lib/graph/onnx_types.js';

describe("ONNX's element types", () => {
  it('have the numbers of onnx.proto', () => {
    const table = {
      float32: 1,
      uint8: 2,
      int8: 3,
      int64: 7,
      bool: 9,
      float16: 10,
      float64: 11,
      bfloat16: 16,
      int4: 22,
    };
    for (const [dtype, number] of Object.entries(table)) assert.equal(dtypeOfNumber(number), dtype);
  });

  it('go both ways; complex and float8 are unsupported', () => {
    const known = Array.from({ length: 24 }, (_, number) => number).filter((number) => dtypeOfNumber(number));
    for (const number of known) assert.equal(numberOfDtype(dtypeOfNumber(number) ?? 'bool'), number);
    assert.equal(known.length, 16);
    for (const number of [0, 14, 15, 17, 18, 19, 20, 23]) assert.equal(dtypeOfNumber(number), undefined);
  });
});
