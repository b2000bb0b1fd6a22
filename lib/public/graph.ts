/** ONNX graphs, number formats, policies, and the programs that run a graph in floats or integers. @module graph */

export { float32, integerFormat, type NumericFormat } from '../format/numeric_format.js';
export {
  formatScheme,
  type Granularities,
  type Operand,
  parseScheme,
  type Scheme,
  schemeOf,
} from '../format/scheme.js';
export { GraphBuilder, type NodeOptions } from '../graph/builder.js';
export { coarseScales } from '../graph/channels/coarse.js';
export { type Equalized, type EqualizeOptions, equalize } from '../graph/channels/equalize.js';
export { type ChannelGroup, type ChannelGroups, channelGroups } from '../graph/channels/groups.js';
export { rescaleChannels } from '../graph/channels/rescale.js';
export { quantizableNodes } from '../graph/check.js';
export { type Dim, UNKNOWN } from '../graph/dims.js';
export { GraphError, OnnxFormatError, UnsupportedOperatorsError } from '../graph/errors.js';
export {
  type AttributeValue,
  Graph,
  type GraphNode,
  type GraphParts,
  type ModelMetadata,
  type TensorType,
  type ValueInfo,
} from '../graph/graph.js';
export { type InferOptions, inferShapes } from '../graph/infer.js';
export { decodeTensor, encodeTensor } from '../graph/onnx/codec.js';
export { exportModel, saveModel } from '../graph/onnx/export.js';
export {
  type ImportedModel,
  type ImportOptions,
  importModel,
  loadModel,
} from '../graph/onnx/import.js';
export { Parameters } from '../graph/parameters.js';
export { clipValues, type ValueRange } from '../graph/passes/clip_values.js';
export { type SimplifyOptions, simplify } from '../graph/passes/index.js';
export type { PassResult, Rewrite } from '../graph/passes/rewrite.js';
export { type InputShapes, pinInputs } from '../graph/pin_inputs.js';
export { prepare } from '../graph/prepare.js';
export { type GraphSummary, type NodeSummary, summarize } from '../graph/printer.js';
export { type ReferenceOptions, runReference } from '../graph/reference.js';
export { ARCHITECTURE_NAMES, type ArchitectureName, type BuildOptions, buildModel } from '../models/index.js';
export { type BudgetOptions, BudgetSpace } from '../policy/budget.js';
export { type Counted, type EffectiveBitsOptions, effectiveBits, type Weighting } from '../policy/effective_bits.js';
export { type PolicyJson, policyFromJson, policyToJson } from '../policy/json.js';
export { checkPolicy, formatPolicy, type Policy, type PolicyOptions, uniformPolicy } from '../policy/policy.js';
export type { Backend } from '../runtime/backend.js';
export { device } from '../runtime/backends/device.js';
export { type FakeQuantUse, fakeQuant, type Operands } from '../runtime/backends/fake_quant.js';
export { type FloatOptions, type FloatUse, float, runFloat, type Substitution } from '../runtime/backends/float.js';
export { type IntegerOptions, type IntegerUse, integer, type ProductRecord } from '../runtime/backends/integer.js';
export {
  type EvaluatePoliciesOptions,
  type EvaluationData,
  type EvaluatorOptions,
  evaluatePolicies,
  PolicyEvaluator,
  type PolicyResult,
} from '../runtime/evaluate_policies.js';
export type { ExportForm } from '../runtime/export/product.js';
export {
  type ExportedModel,
  type ExportedNode,
  type ExportQuantizedOptions,
  exportQuantized,
} from '../runtime/export/quantized.js';
export type { ProductScheme, SchemeChooser } from '../runtime/product_scheme.js';
export { type CompileOptions, compile, type Program } from '../runtime/program.js';
export type { Feeds, Run } from '../runtime/run.js';
