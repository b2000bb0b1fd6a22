/** The integer kernels, on packed weights and on ONNX tensors, their error profiles, and tensors. @module engine */

export { InvalidArgumentError } from '../core/errors.js';
export { type Granularity, perChannel, perGroup, perSample, perTensor, perToken } from '../format/granularity.js';
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
} from '../native/conv2d.js';
export { type DeviceInfo, openCuda } from '../native/cuda_addon.js';
export { type Device, DeviceError, type DeviceFailure } from '../native/device_error.js';
export {
  type ChannelErrorProfile,
  ErrorProfile,
  type ErrorProfileOptions,
  type ErrorSummary,
  type ErrorTerm,
  type LayerErrorProfile,
  profileConv2d,
  profileMatmul,
} from '../native/error_profile.js';
export { type Inspection, inspect } from '../native/inspect.js';
export {
  type ActivationOptions,
  type MatmulDynamicOptions,
  matmulDynamic,
  matmulDynamicAccumulators,
} from '../native/matmul.js';
export type { ConvAttributes } from '../native/onnx_conv_geometry.js';
export { convInteger, matMulInteger, qLinearConv, qLinearMatMul } from '../native/onnx_integer.js';
export { PackedOperand, packB, packW } from '../native/onnx_operand.js';
export {
  type CodeType,
  dequantizeLinear,
  dynamicQuantizeLinear,
  type LinearAttributes,
  quantizeLinear,
} from '../native/onnx_quantize.js';
export { type ByteTensor, type OnnxTensor, type OnnxType, onnxTensor } from '../native/onnx_tensor.js';
export {
  PackedWeights,
  type PackWeightsOptions,
  packQuantizedWeights,
  packWeights,
} from '../native/packed_weights.js';
export type { ArithmeticOptions, EpilogueOptions } from '../native/product_end.js';
export {
  type ChooseQParamsOptions,
  chooseQParams,
  dequantize,
  type QParams,
  type QuantScheme,
  quantize,
} from '../native/quantize.js';
export { setThreads, threads } from '../native/threads.js';
export type { DType } from '../tensor/dtype.js';
export { floats, type HostTensor, hostTensor, integers } from '../tensor/host_tensor.js';
export { Random, type RandomState } from '../tensor/random.js';
