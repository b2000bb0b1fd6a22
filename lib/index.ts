/** The functions that most programs need; everything else is at a subpath, lib/public/. @module faultline */

export { mitigate } from './assess/mitigate/mitigate.js';
export { profile } from './assess/profile/profile.js';
export { imageSamples, tensorSamples } from './assess/samples.js';
export { scan } from './assess/scan/scan.js';
export { assess } from './assess/verdict/assess.js';
export { loadDataset } from './data/load.js';
export { loadModel as loadOnnx } from './graph/onnx/import.js';
export { conv2dDynamic, packConvWeights } from './native/conv2d.js';
export { inspect } from './native/inspect.js';
export { matmulDynamic } from './native/matmul.js';
export { packWeights } from './native/packed_weights.js';
export { uniformPolicy } from './policy/policy.js';
export { exportQuantized } from './runtime/export/quantized.js';
