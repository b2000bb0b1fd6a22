/** Verdict, profile, indicators, mitigation, vulnerability, and the tasks they measure by. @module assess */

export { INDICATORS, type IndicatorName } from '../assess/indicators/names.js';
export {
  fitPredictor,
  type Prediction,
  type Predictor,
  predictDrop,
  type StudyNetwork,
} from '../assess/indicators/predictor.js';
export { type IndicatorQuality, type IndicatorStudy, studyIndicators } from '../assess/indicators/study.js';
export type { MeanEstimate, RobustnessSummary } from '../assess/measure/corruption_errors.js';
export {
  type CorruptionCondition,
  type CorruptionFigures,
  type CorruptionGrid,
  type CorruptionGridOptions,
  corruptionGrid,
  FULL_PRECISION,
  type NamedPolicy,
} from '../assess/measure/corruption_grid.js';
export type { Figures, Level, Margins, PolicyFigures, Thresholds, WorstClass } from '../assess/measure/figures.js';
export type { PlanOptions } from '../assess/measure/measurer.js';
export type { NodeSensitivity } from '../assess/measure/sensitivity.js';
export type { GranularityFigures, ProcessorFigures } from '../assess/measure/variants.js';
export type { Diagnosis, Failure } from '../assess/mitigate/diagnosis.js';
export { type Judgement, type Judgements, type JudgeOptions, judgeMitigated } from '../assess/mitigate/judgement.js';
export {
  type CureName,
  type CureResult,
  type MitigateOptions,
  type MitigateResult,
  mitigate,
} from '../assess/mitigate/mitigate.js';
export { guardRanges, type RangeGuard, type RangeGuardOptions } from '../assess/mitigate/range_guard.js';
export type { LayerProfile } from '../assess/profile/layer.js';
export { type NetworkProfile, type Profile, type ProfileOptions, profile } from '../assess/profile/profile.js';
export type { InputChannel, InputChannels, RangeProfile } from '../assess/profile/ranges.js';
export type { LayerSpeed, MachineCeilings } from '../assess/profile/speed.js';
export type { OutputError } from '../assess/profile/sums.js';
export { type LayerScan, type Scan, type ScanOptions, scan } from '../assess/scan/scan.js';
export { type AssessOptions, assess } from '../assess/verdict/assess.js';
export type { SearchBudget } from '../assess/verdict/budget.js';
export type { CostEstimate, StageEstimate } from '../assess/verdict/estimate.js';
export type { AgentFound, PolicySearch } from '../assess/verdict/policy_search.js';
export type { Remedy } from '../assess/verdict/remedies.js';
export type {
  AssessResult,
  Evidence,
  LayerError,
} from '../assess/verdict/result.js';
export type { AssessProgress, AssessStore } from '../assess/verdict/timed.js';
export {
  rankVulnerability,
  type VulnerabilityOptions,
  type VulnerabilityRanking,
  type VulnerablePoint,
} from '../assess/vulnerable/vulnerability.js';
export {
  type ChannelSensitivity,
  type PairSensitivity,
  type Vulnerable,
  type VulnerableOptions,
  vulnerable,
} from '../assess/vulnerable/vulnerable.js';
export {
  type InputChange,
  type WorstInput,
  type WorstInputs,
  type WorstInputsOptions,
  worstInputs,
} from '../assess/vulnerable/worst_inputs.js';
export type { Estimate } from '../statistics/ranks.js';
export type { Interval } from '../statistics/shares.js';
export type { Comparison } from '../tasks/compare.js';
export { TASKS, taskOf } from '../tasks/index.js';
export { graded, shares } from '../tasks/scoring.js';
export type { Answers, Measure, SampleScores, Task } from '../tasks/task.js';
