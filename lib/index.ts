// The public surface of faultline.

export { INDICATORS, type IndicatorName } from './assess/indicators/names.js';
export {
  fitPredictor,
  type Prediction,
  type Predictor,
  predictDrop,
  type StudyNetwork,
} from './assess/indicators/predictor.js';
export { type IndicatorQuality, type IndicatorStudy, studyIndicators } from './assess/indicators/study.js';
export type { MeanEstimate, RobustnessSummary } from './assess/measure/corruption_errors.js';
export {
  type CorruptionCondition,
  type CorruptionFigures,
  type CorruptionGrid,
  type CorruptionGridOptions,
  corruptionGrid,
  FULL_PRECISION,
  type NamedPolicy,
} from './assess/measure/corruption_grid.js';
export type { Figures, Level, Margins, PolicyFigures, Thresholds, WorstClass } from './assess/measure/figures.js';
export type { PlanOptions } from './assess/measure/measurer.js';
export type { NodeSensitivity } from './assess/measure/sensitivity.js';
export type { GranularityFigures, ProcessorFigures } from './assess/measure/variants.js';
export type { Diagnosis, Failure } from './assess/mitigate/diagnosis.js';
export { type Judgement, type Judgements, type JudgeOptions, judgeMitigated } from './assess/mitigate/judgement.js';
export {
  type CureName,
  type CureResult,
  type MitigateOptions,
  type MitigateResult,
  mitigate,
} from './assess/mitigate/mitigate.js';
export { guardRanges, type RangeGuard, type RangeGuardOptions } from './assess/mitigate/range_guard.js';
export type { LayerProfile } from './assess/profile/layer.js';
export { type NetworkProfile, type Profile, type ProfileOptions, profile } from './assess/profile/profile.js';
export type { InputChannel, InputChannels, RangeProfile } from './assess/profile/ranges.js';
export type { LayerSpeed, MachineCeilings } from './assess/profile/speed.js';
export type { OutputError } from './assess/profile/sums.js';
export {
  type ImageSamplesOptions,
  imageSamples,
  type SampleBatch,
  type Samples,
  tensorSamples,
} from './assess/samples.js';
export { type LayerScan, type Scan, type ScanOptions, scan } from './assess/scan/scan.js';
export { type AssessOptions, assess } from './assess/verdict/assess.js';
export type { SearchBudget } from './assess/verdict/budget.js';
export type { CostEstimate, StageEstimate } from './assess/verdict/estimate.js';
export type { AgentFound, PolicySearch } from './assess/verdict/policy_search.js';
export type { Remedy } from './assess/verdict/remedies.js';
export type {
  AssessResult,
  Evidence,
  LayerError,
} from './assess/verdict/result.js';
export type { AssessProgress, AssessStore } from './assess/verdict/timed.js';
export {
  rankVulnerability,
  type VulnerabilityOptions,
  type VulnerabilityRanking,
  type VulnerablePoint,
} from './assess/vulnerable/vulnerability.js';
export {
  type ChannelSensitivity,
  type PairSensitivity,
  type Vulnerable,
  type VulnerableOptions,
  vulnerable,
} from './assess/vulnerable/vulnerable.js';
export {
  type InputChange,
  type WorstInput,
  type WorstInputs,
  type WorstInputsOptions,
  worstInputs,
} from './assess/vulnerable/worst_inputs.js';
export { InvalidArgumentError } from './core/errors.js';
export { type ContactSheetOptions, contactSheet } from './data/contact_sheet.js';
export {
  CORRUPTION_FAMILIES,
  CORRUPTION_GROUPS,
  CORRUPTION_NAMES,
  type CorruptionFamily,
  type CorruptionInfo,
  type CorruptionLevel,
  type CorruptionName,
  type CorruptionRequest,
  type CorruptOptions,
  constantsFor,
  corrupt,
  corruptionInfo,
  parseCorruptions,
  SEVERITIES,
  type Severity,
} from './data/corruptions.js';
export { DataError } from './data/errors.js';
export { evaluationData } from './data/evaluation_data.js';
export type { Dataset, ImageSet, Normalization } from './data/image_set.js';
export { type LoadOptions, loadDataset, openDataset } from './data/load.js';
export { type Augmentation, Loader, type LoaderOptions } from './data/loader.js';
export type { ImageSource, OpenDataset, StoredImages } from './data/stored_images.js';
export { float32, integerFormat, type NumericFormat } from './format/numeric_format.js';
export { formatScheme, type Granularities, type Operand, parseScheme, type Scheme, schemeOf } from './format/scheme.js';
export { GraphBuilder, type NodeOptions } from './graph/builder.js';
export { coarseScales } from './graph/channels/coarse.js';
export { type Equalized, type EqualizeOptions, equalize } from './graph/channels/equalize.js';
export { type ChannelGroup, type ChannelGroups, channelGroups } from './graph/channels/groups.js';
export { rescaleChannels } from './graph/channels/rescale.js';
export { quantizableNodes } from './graph/check.js';
export { type Dim, UNKNOWN } from './graph/dims.js';
export { GraphError, OnnxFormatError, UnsupportedOperatorsError } from './graph/errors.js';
export {
  type AttributeValue,
  Graph,
  type GraphNode,
  type GraphParts,
  type ModelMetadata,
  type TensorType,
  type ValueInfo,
} from './graph/graph.js';
export { type InferOptions, inferShapes } from './graph/infer.js';
export { decodeTensor, encodeTensor } from './graph/onnx/codec.js';
export { exportModel, saveModel } from './graph/onnx/export.js';
export {
  type ImportedModel,
  type ImportOptions,
  importModel,
  loadModel,
  loadModel as loadOnnx,
} from './graph/onnx/import.js';
export { Parameters } from './graph/parameters.js';
export { clipValues, type ValueRange } from './graph/passes/clip_values.js';
export { type SimplifyOptions, simplify } from './graph/passes/index.js';
export type { PassResult, Rewrite } from './graph/passes/rewrite.js';
export { type InputShapes, pinInputs } from './graph/pin_inputs.js';
export { prepare } from './graph/prepare.js';
export { type GraphSummary, type NodeSummary, summarize } from './graph/printer.js';
export { type ReferenceOptions, runReference } from './graph/reference.js';
export { ARCHITECTURE_NAMES, type ArchitectureName, type BuildOptions, buildModel } from './models/index.js';
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
export { type DeviceInfo, openCuda } from './native/cuda_addon.js';
export { type Device, DeviceError, type DeviceFailure } from './native/device_error.js';
export {
  type ChannelErrorProfile,
  ErrorProfile,
  type ErrorProfileOptions,
  type ErrorSummary,
  type ErrorTerm,
  type LayerErrorProfile,
  profileConv2d,
  profileMatmul,
} from './native/error_profile.js';
export { type Granularity, perChannel, perGroup, perRow, perTensor } from './native/granularity.js';
export { type Inspection, inspect } from './native/inspect.js';
export {
  type ActivationOptions,
  type MatmulDynamicOptions,
  matmulDynamic,
  matmulDynamicAccumulators,
} from './native/matmul.js';
export type { ConvAttributes } from './native/onnx_conv_geometry.js';
export { convInteger, matMulInteger, qLinearConv, qLinearMatMul } from './native/onnx_integer.js';
export { PackedOperand, packB, packW } from './native/onnx_operand.js';
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
export type { ArithmeticOptions, EpilogueOptions } from './native/product_end.js';
export {
  type ChooseQParamsOptions,
  chooseQParams,
  dequantize,
  type QParams,
  type QuantScheme,
  quantize,
} from './native/quantize.js';
export { setThreads, threads } from './native/threads.js';
export { type BudgetOptions, BudgetSpace } from './policy/budget.js';
export { type Counted, type EffectiveBitsOptions, effectiveBits, type Weighting } from './policy/effective_bits.js';
export { type PolicyJson, policyFromJson, policyToJson } from './policy/json.js';
export { checkPolicy, formatPolicy, type Policy, type PolicyOptions, uniformPolicy } from './policy/policy.js';
export { buildDocument } from './report/build.js';
export type { Document } from './report/document.js';
export { readResult } from './report/read.js';
export { type Report, type ReportInput, reportSchema } from './report/schema.js';
export { writeReport } from './report/write.js';
export type { Backend } from './runtime/backend.js';
export { device } from './runtime/backends/device.js';
export { type FakeQuantOptions, type FakeQuantUse, fakeQuant, type Operands } from './runtime/backends/fake_quant.js';
export { type FloatOptions, type FloatUse, float, runFloat, type Substitution } from './runtime/backends/float.js';
export { type IntegerOptions, type IntegerUse, integer, type ProductRecord } from './runtime/backends/integer.js';
export type { BitChooser, ProductBits } from './runtime/bits.js';
export {
  type EvaluatePoliciesOptions,
  type EvaluationData,
  type EvaluatorOptions,
  evaluatePolicies,
  PolicyEvaluator,
  type PolicyResult,
} from './runtime/evaluate_policies.js';
export type { ExportForm } from './runtime/export/product.js';
export {
  type ExportedModel,
  type ExportedNode,
  type ExportQuantizedOptions,
  exportQuantized,
} from './runtime/export/quantized.js';
export { type CompileOptions, compile, type Program } from './runtime/program.js';
export type { Feeds, Run } from './runtime/run.js';
export {
  defineAgent,
  type InputAgent,
  type InputAgentDefinition,
  type InputLearner,
  type InputSearchOptions,
  type InputSearchResult,
  type SearchAgent,
  type Select,
  type StaticAgent,
  type StaticAgentDefinition,
  type StaticSearchOptions,
  type StaticSearchResult,
} from './search/agent.js';
export { type DdpgOptions, ddpgWith } from './search/agents/ddpg.js';
export { type GateOptions, gateWith } from './search/agents/gate.js';
export { agentNamed, agentsOf } from './search/agents/index.js';
export { type PpoOptions, ppoWith } from './search/agents/ppo.js';
export {
  BASELINES,
  type ControlOptions as InputControlOptions,
  evaluateControls,
  freshAttacker,
  type InputControls,
} from './search/controls.js';
export { Environment, type Found, type HistoryPoint, type SearchProgress } from './search/environment.js';
export { InputEnvironment, type InputEnvironmentOptions } from './search/input_environment.js';
export { INPUT_DEPENDENT, type InputPairOptions, type InputPairResult, learnInputPair } from './search/input_pair.js';
export { InputPolicy } from './search/input_policy.js';
export { type InputPolicyJson, inputPolicyFromJson, inputPolicyToJson } from './search/input_policy_json.js';
export {
  Judge,
  type Objective,
  regretOf,
  type Score,
  type Scorer,
  signOf,
} from './search/judge.js';
export {
  DETRIMENTAL_PAIR,
  learnPair,
  type PairCandidate,
  type PairOptions,
  type PairRecipe,
  type PairRound,
  ROBUST_PAIR,
  type StaticPairResult,
} from './search/pair.js';
export { type BitsResult, InputPolicyRunner } from './search/runner.js';
export {
  type AgentReport,
  type InputSearchReport,
  type SearchByInputOptions,
  type SearchReport,
  type SearchStaticOptions,
  searchPolicy,
} from './search/search.js';
export type { ActivationBudget, NodeSchemes } from './search/space.js';
export type { Estimate } from './statistics/ranks.js';
export type { Interval } from './statistics/shares.js';
export { DEFAULT_TASK, TASKS } from './tasks/index.js';
export type { Answers, Comparison, Measure, Task } from './tasks/task.js';
export type { DType } from './tensor/dtype.js';
export { floats, type HostTensor, hostTensor, integers } from './tensor/host_tensor.js';
export { Random, type RandomState } from './tensor/random.js';
export { type BoxOptions, boxRepair } from './train/box_repair.js';
export {
  BOUNDED_GAUGE,
  CELLS,
  type CellAttackOptions,
  type CellAttackRecipe,
  type CellAttackResult,
  cellAttack,
} from './train/cell_attack.js';
export { cellUnits } from './train/cell_units.js';
export type { Coordinates } from './train/coordinates.js';
export {
  type DistillOptions,
  type DistillProgress,
  type DistillResult,
  distill,
  type PassProgress,
  type PolicySource,
  type StepContext,
} from './train/distill.js';
export { CheckpointError, TrainingDivergedError } from './train/errors.js';
export { type EvaluateOptions, type Evaluation, evaluate } from './train/evaluate.js';
export { type FullPrecision, type FullPrecisionOptions, fullPrecision } from './train/full_precision.js';
export {
  GAUGE,
  type GaugeAttackOptions,
  type GaugeAttackResult,
  type GaugeRecipe,
  gaugeAttack,
} from './train/gauge.js';
export {
  type Bits,
  type DetrimentalObjective,
  type DistillObjective,
  heldCrossEntropy,
  keepLead,
  type LogitLoss,
  marginHinge,
  mse,
  type Pass,
  passesOf,
  type QuAntiObjective,
  type RobustObjective,
  type Targets,
} from './train/objective.js';
export type { OptimizerOptions } from './train/optimizer.js';
export type { ProtectionRecipe } from './train/protection.js';
export {
  BOX_REPAIR,
  CELL_ATTACK,
  DETRIMENTAL,
  type DistillRecipe,
  MULTI_BIT,
  QU_ANTI,
  ROBUST,
} from './train/recipes.js';
export type { Schedule } from './train/schedule.js';
export { STEALTH, type StealthOptions, type StealthRecipe, stealthAttack } from './train/stealth.js';
export { type BlackBox, type Teacher, type TeacherLogits, teacherLogits } from './train/teacher.js';
export { type TrainOptions, type TrainProgress, type TrainResult, train } from './train/train.js';
