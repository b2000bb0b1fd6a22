// Operations called by the getters of another call's options, and arrays of other realms: results are right or refused.
import assert from 'node:assert/strict';
import { runInNewContext } from 'node:vm';
import { conv2dDynamic, conv2dDynamicAccumulators, packConvWeights } from '../../../lib/native/conv2d.js';
import { ErrorProfile, profileConv2d } from '../../../lib/native/error_profile.js';
import { matmulDynamic, matmulDynamicAccumulators } from '../../../lib/native/matmul.js';
import { dynamicQuantizeLinear, quantizeLinear } from '../../../lib/native/onnx_quantize.js';
import { onnxTensor } from '../../../lib/native/onnx_tensor.js';
import { packWeights } from '../../../lib/native/packed_weights.js';
import { chooseQParams, dequantize, quantize } from '../../../lib/native/quantize.js';

const values = (length: number) => Float32Array.from({ length }, (_, i) => Math.sin(i));
const rows = packWeights(values(12), [3, 4]);
const kernel = packConvWeights(values(36), [2, 3, 3, 2]);
const image = values(72);

/** Does everything that shares anything with other calls, with other shapes. */
function interfere(): void {
  const other = packConvWeights(values(5), [5, 1, 1, 1]);
  conv2dDynamic(values(18), [2, 3, 3, 1], other, { strides: 2, padding: 1 });
  new ErrorProfile(values(5), [5, 1, 1, 1]).addImages(values(18), [2, 3, 3, 1]);
  matmulDynamic(values(8), rows);
  quantize(values(6), [2, 3], chooseQParams(values(6), [2, 3]));
}

/** The same object, which interferes whenever anything of it is read, at any depth. */
function interfering<T>(target: T): T {
  if (typeof target !== 'object' || target === null || ArrayBuffer.isView(target)) return target;
  return new Proxy(target as object, {
    get: (object, key) => {
      interfere();
      return interfering(Reflect.get(object, key));
    },
  }) as T;
}

const plain = (result: unknown): string =>
  JSON.stringify(result, (_, value) => (ArrayBuffer.isView(value) ? Array.from(value as Float32Array) : value));

describe('an operation that is called while the arguments of another are read', () => {
  const window = { strides: [1, 2], padding: [1, 0, 0, 1], dilations: 1 } as const;
  const shape = [1, 6, 6, 2] as const;
  const params = chooseQParams(values(6), [2, 3]);
  const scale = onnxTensor('float32', [], Float32Array.of(0.1));
  const cases: Readonly<Record<string, (wrap: <T>(value: T) => T) => unknown>> = {
    conv2dDynamic: (wrap) =>
      conv2dDynamic(image, wrap(shape), kernel, wrap({ ...window, clip: [-1, 1], bias: values(2) } as const)),
    conv2dDynamicAccumulators: (wrap) => conv2dDynamicAccumulators(image, wrap(shape), kernel, wrap(window)),
    matmulDynamic: (wrap) => matmulDynamic(values(8), rows, wrap({ clip: [0, 1], bias: values(3) } as const)),
    matmulDynamicAccumulators: (wrap) => matmulDynamicAccumulators(values(8), rows, wrap({ activationBits: 4 })),
    packConvWeights: (wrap) => packConvWeights(values(36), wrap([2, 3, 3, 2] as const), wrap({ bits: 4 })).codes(),
    packWeights: (wrap) => packWeights(values(12), wrap([3, 4] as const), wrap({ bits: 3 })).codes(),
    chooseQParams: (wrap) => chooseQParams(values(6), wrap([2, 3]), wrap({ bits: 5 })),
    quantize: (wrap) => quantize(values(6), wrap([2, 3]), wrap(params)),
    dequantize: (wrap) => dequantize(quantize(values(6), [2, 3], params), wrap([2, 3]), wrap(params)),
    profileConv2d: (wrap) => profileConv2d(image, wrap(shape), values(36), [2, 3, 3, 2], wrap({ bits: 4, ...window })),
    dynamicQuantizeLinear: (wrap) => dynamicQuantizeLinear(wrap({ x: onnxTensor('float32', [6], values(6)) })),
    quantizeLinear: (wrap) => quantizeLinear(wrap({ x: onnxTensor('float32', [6], values(6)), y_scale: scale })),
  };
  for (const [name, call] of Object.entries(cases)) {
    it(`changes nothing: ${name}`, () => assert.equal(plain(call(interfering)), plain(call((value) => value))));
  }
});

describe('arrays of another kind', () => {
  const expected = matmulDynamic(values(8), rows);

  it('views into a buffer and subclasses compute the same', () => {
    class Mine extends Float32Array {}
    const padded = new Float32Array(11);
    padded.set(values(8), 3);
    assert.deepEqual(matmulDynamic(padded.subarray(3), rows), expected);
    assert.deepEqual(matmulDynamic(Mine.from(values(8)), rows), expected);
  });

  it('those of another realm are refused as that', () => {
    const foreign = runInNewContext('new Float32Array(8)') as Float32Array;
    assert.throws(
      () => matmulDynamic(foreign, rows),
      /expected Float32Array, received Float32Array\(8\) of another realm/,
    );
    assert.throws(() => conv2dDynamic(foreign, [1, 2, 2, 2], kernel), /of another realm/);
  });
});
