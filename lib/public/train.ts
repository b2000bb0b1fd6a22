/** Training, distillation and the attacks on weights. @module train */

export { type BoxOptions, boxRepair } from '../train/box_repair.js';
export {
  BOUNDED_GAUGE,
  CELLS,
  type CellAttackOptions,
  type CellAttackRecipe,
  type CellAttackResult,
  cellAttack,
} from '../train/cell_attack.js';
export { cellUnits } from '../train/cell_units.js';
export type { Coordinates } from '../train/coordinates.js';
export {
  type DistillOptions,
  type DistillProgress,
  type DistillResult,
  distill,
  type PassProgress,
  type PolicySource,
  type StepContext,
} from '../train/distill.js';
export { CheckpointError, TrainingDivergedError } from '../train/errors.js';
export { type EvaluateOptions, type Evaluation, evaluate } from '../train/evaluate.js';
export { type FullPrecision, type FullPrecisionOptions, fullPrecision } from '../train/full_precision.js';
export {
  GAUGE,
  type GaugeAttackOptions,
  type GaugeAttackResult,
  type GaugeRecipe,
  gaugeAttack,
} from '../train/gauge.js';
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
} from '../train/objective.js';
export type { OptimizerOptions } from '../train/optimizer.js';
export type { ProtectionRecipe } from '../train/protection.js';
export {
  BOX_REPAIR,
  CELL_ATTACK,
  DETRIMENTAL,
  type DistillRecipe,
  MULTI_BIT,
  QU_ANTI,
  ROBUST,
} from '../train/recipes.js';
export type { Schedule } from '../train/schedule.js';
export { STEALTH, type StealthOptions, type StealthRecipe, stealthAttack } from '../train/stealth.js';
export { type BlackBox, type Teacher, type TeacherLogits, teacherLogits } from '../train/teacher.js';
export { type TrainOptions, type TrainProgress, type TrainResult, train } from '../train/train.js';
