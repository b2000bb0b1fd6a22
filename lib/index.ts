// The public surface of faultline.
export {
  type Conv2dDynamicOptions,
  type ConvActivationOptions,
  type ConvWeightShape,
  type ConvWindowOptions,
  conv2dDynamic,
  conv2dDynamicAccumulators,
  conv2dOutputShape,
  type ImageShape,
  type PackConvWeightsOptions,
  PackedConvWeights,
  packConvWeights,
  packQuantizedConvWeights,
} from './native/conv2d.js';
export { InvalidArgumentError } from './native/errors.js';
export { type Granularity, perChannel, perGroup, perRow, perTensor } from './native/granularity.js';
export {
  type ActivationOptions,
  type ArithmeticOptions,
  type EpilogueOptions,
  type MatmulDynamicOptions,
  matmulDynamic,
  matmulDynamicAccumulators,
} from './native/matmul.js';
export type { ConvAttributes } from './native/onnx_conv_geometry.js';
export { convInteger, matMulInteger, qLinearConv, qLinearMatMul } from './native/onnx_integer.js';
export {
  type CodeType,
  dequantizeLinear,
  dynamicQuantizeLinear,
  type LinearAttributes,
  quantizeLinear,
} from './native/onnx_quantize.js';
export { type ByteTensor, type OnnxTensor, type OnnxType, onnxTensor } from './native/onnx_tensor.js';
export {
  PackedWeights,
  type PackWeightsOptions,
  packQuantizedWeights,
  packWeights,
  type WeightGranularity,
} from './native/packed_weights.js';
export {
  type ChooseQParamsOptions,
  chooseQParams,
  dequantize,
  type QParams,
  type QuantScheme,
  quantize,
} from './native/quantize.js';
export { setThreads, threads } from './native/threads.js';
