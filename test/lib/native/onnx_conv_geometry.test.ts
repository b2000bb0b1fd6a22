// Attributes of ONNX convolutions as numbers: pads by auto_pad as the operator's text has them, and refusals.
import assert from 'node:assert/strict';
import { GEOMETRY_FIELD } from '../../../lib/native/codes.js';
import { type ConvAttributes, onnxConvGeometry } from '../../../lib/native/onnx_conv_geometry.js';

const of = (xDims: number[], wDims: number[], attributes: ConvAttributes = {}) =>
  onnxConvGeometry('convInteger', xDims, wDims, attributes);

describe('ONNX convolution geometry', () => {
  it('has the output shapes of the operator', () => {
    assert.deepEqual(of([2, 3, 8, 9], [5, 3, 3, 3]).dims, [2, 5, 6, 7]);
    assert.deepEqual(of([2, 3, 8, 9], [5, 3, 3, 3], { pads: [1, 1, 1, 1], strides: [2, 2] }).dims, [2, 5, 4, 5]);
    assert.deepEqual(of([1, 4, 10], [4, 1, 3], { group: 4, dilations: [2] }).dims, [1, 4, 6]);
  });

  it('pads to ceil(size / stride) with SAME, the odd one at the end or the beginning', () => {
    const pads = (auto_pad: 'SAME_UPPER' | 'SAME_LOWER' | 'VALID') => {
      const { shape, dims } = of([1, 1, 5, 6], [1, 1, 2, 3], { auto_pad, strides: [1, 2] });
      const { padTop, padLeft, padBottom, padRight } = GEOMETRY_FIELD;
      return [dims.slice(2), [padTop, padLeft, padBottom, padRight].map((field) => shape[field])];
    };
    assert.deepEqual(pads('SAME_UPPER'), [
      [5, 3],
      [0, 0, 1, 1],
    ]);
    assert.deepEqual(pads('SAME_LOWER'), [
      [5, 3],
      [1, 1, 0, 0],
    ]);
    assert.deepEqual(pads('VALID'), [
      [4, 2],
      [0, 0, 0, 0],
    ]);
  });

  it('refuses what does not fit', () => {
    const x = [1, 4, 5, 5];
    const refused = (wDims: number[], attributes: ConvAttributes, message: RegExp, xDims = x) =>
      assert.throws(() => of(xDims, wDims, attributes), message);
    refused([2, 3, 3, 3], {}, /w: expected C \/ group = 4 input channels/);
    refused([3, 2, 3, 3], { group: 2 }, /a multiple of group = 2 output channels, received 3/);
    refused([2, 4, 3], {}, /as many dimensions as x/);
    refused([2, 4, 3, 3], { kernel_shape: [3, 2] }, /kernel_shape: expected \[3,3\], that of w/);
    refused([2, 4, 3, 3], { strides: [0, 1] }, /strides: expected 2 integers from 1/);
    refused([2, 4, 3, 3], { pads: [1, 1] }, /pads: expected 4 integers/);
    refused([2, 4, 6, 3], {}, /at least 6 padded elements, the reach of the window, received 5/);
    refused([2, 4, 3, 3], { auto_pad: 'SAME' as 'VALID' }, /auto_pad: expected NOTSET/);
    refused([2, 4, 3, 3], {}, /x: expected shape \[N, C, W\]/, [1, 4]);
  });
});
