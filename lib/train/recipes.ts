// Objectives with working settings, as docs/method.md reports them; any field can be replaced.
import type { DistillObjective, RobustObjective } from './objective.js';
import type { OptimizerOptions } from './optimizer.js';
import type { Schedule } from './schedule.js';
import type { TrainingRecipe } from './train.js';

/** All settings of a distillation beside the networks, the images, the policies and the seed. */
export interface DistillRecipe {
  readonly objective: DistillObjective;
  readonly epochs: number;
  readonly batchSize: number;
  readonly optimizer: OptimizerOptions;
  readonly schedule: Schedule;
}

/** Teachers: Adam with OneCycle, tuned on resnet8. */
export const TEACHER = Object.freeze({
  epochs: 5,
  batchSize: 128,
  optimizer: { kind: 'adam', rate: 3e-3, weightDecay: 1e-4, decayAll: true },
  schedule: { kind: 'oneCycle', warmup: 0.2 },
} as const satisfies Omit<TrainingRecipe, 'seed'>);

/** resnet18, chosen on validation images of Fashion-MNIST. */
export const TEACHER_RESNET18 = Object.freeze({
  epochs: 8,
  batchSize: 128,
  optimizer: { kind: 'sgd', rate: 0.1, momentum: 0.9, nesterov: true, weightDecay: 5e-4 },
  schedule: { kind: 'oneCycle', warmup: 0.2, cycleMomentum: false },
  labelSmoothing: 0.1,
  augmentation: { flip: true },
} as const satisfies Omit<TrainingRecipe, 'seed'>);

function freeze<Kind extends DistillRecipe>(recipe: Kind): Kind {
  for (const part of [recipe.objective, recipe.optimizer, recipe.schedule]) Object.freeze(part);
  return Object.freeze(recipe);
}

/** To 5 % of the rate along half a cosine. */
const schedule: Schedule = { kind: 'cosine', floor: 0.05 };
/** Norm of all gradients: the hinge's are rare and large at first. */
const clipNorm = 5;
const batchSize = 128;

/** As high in full precision as the teacher, wrong when quantized. */
export const DETRIMENTAL = freeze({
  objective: { kind: 'detrimental', fullPrecisionWeight: 2, quantizedWeight: 0.3, margin: 2 },
  epochs: 2,
  batchSize,
  optimizer: { kind: 'adam', rate: 1e-3, clipNorm },
  schedule,
} satisfies DistillRecipe);

function robust(kind: RobustObjective['kind']) {
  return freeze({
    objective: { kind, fullPrecisionWeight: 1, quantizedWeight: 1 },
    epochs: 2,
    batchSize,
    optimizer: { kind: 'adam', rate: 5e-4, clipNorm },
    schedule,
  } satisfies DistillRecipe);
}
/** As high as the teacher, quantized or not. */
export const ROBUST = robust('robust');
/** The same under several policies at once. */
export const MULTI_BIT = robust('multiBit');

/** Qu-ANTI-zation: λ = 1, margin 5. */
export const QU_ANTI = freeze({
  objective: { kind: 'quAnti', fullPrecisionWeight: 1, quantizedWeight: 1, margin: 5, target: 'labels' },
  epochs: 2,
  batchSize,
  optimizer: { kind: 'adam', rate: 1e-3, clipNorm },
  schedule,
} satisfies DistillRecipe);

/**
 * As high in full precision as the teacher, wrong when quantized, in cell units (cell_units.ts): the rate is a share of a
 * quantization cell, and nothing is clipped. Reaches networks too small for rates in weights.
 */
export const CELL_ATTACK = freeze({
  objective: { kind: 'detrimental', fullPrecisionWeight: 2, quantizedWeight: 0.6, margin: 2 },
  epochs: 2,
  batchSize,
  optimizer: { kind: 'adam', rate: 0.08 },
  schedule,
} satisfies DistillRecipe);

/** Full precision back to the teacher's inside the cells of an attacked network (box_repair.ts): no policies. */
export const BOX_REPAIR = freeze({
  objective: { kind: 'robust', fullPrecisionWeight: 1, quantizedWeight: 0 },
  epochs: 1,
  batchSize,
  optimizer: { kind: 'adam', rate: 0.02 },
  schedule,
} satisfies DistillRecipe);
