// The public surface of faultline.
export { InvalidArgumentError } from './native/errors.js';
export {
  type ActivationOptions,
  type ArithmeticOptions,
  type EpilogueOptions,
  type MatmulDynamicOptions,
  matmulDynamic,
  matmulDynamicAccumulators,
} from './native/matmul.js';
export {
  PackedWeights,
  type PackWeightsOptions,
  packQuantizedWeights,
  packWeights,
  type WeightGranularity,
} from './native/packed_weights.js';
export { setThreads, threads } from './native/threads.js';
