// An attack in cell units: scales that make wide formats coarse (none by default), weights that learn to fail when
// quantized, and box repair of full precision. At W8A8 gradients alone find no failure; with scales bounded by e^±2
// most weights have ±2 codes left and break as four-bit networks do.

import { InvalidArgumentError } from '../core/errors.js';
import type { ImageSet, Normalization } from '../data/image_set.js';
import { coarseScales } from '../graph/channels/coarse.js';
import { channelGroups } from '../graph/channels/groups.js';
import { rescaleChannels } from '../graph/channels/rescale.js';
import type { Graph } from '../graph/graph.js';
import { prepare } from '../graph/prepare.js';
import type { Policy } from '../policy/policy.js';
import { boxRepair } from './box_repair.js';
import { cellUnits } from './cell_units.js';
import { type DistillProgress, distill } from './distill.js';
import { BOX_REPAIR, CELL_ATTACK, type DistillRecipe } from './recipes.js';
import { type Teacher, type TeacherLogits, teacherLogits } from './teacher.js';

export type StepRecipe = DistillRecipe & { readonly steps: number };

/** Settings of a cell attack. */
export interface CellAttackRecipe {
  /** Largest |ln scale| of channels, 0 for none. */
  readonly scaleBound: number;
  readonly attack: StepRecipe;
  /** Undefined: full precision stays as the attack left it. */
  readonly repair: StepRecipe | undefined;
}

/** For few bits: convnet2 at W4A4. */
export const CELLS: CellAttackRecipe = Object.freeze({
  scaleBound: 0,
  attack: Object.freeze({
    ...CELL_ATTACK,
    objective: Object.freeze({ ...CELL_ATTACK.objective, fullPrecisionWeight: 2.5 }),
    steps: 800,
  }),
  repair: Object.freeze({ ...BOX_REPAIR, steps: 1000 }),
});

/** For W8A8, with scales from e^−2 to e^2. */
export const BOUNDED_GAUGE: CellAttackRecipe = Object.freeze({
  scaleBound: 2,
  attack: Object.freeze({
    ...CELL_ATTACK,
    objective: Object.freeze({ ...CELL_ATTACK.objective, quantizedWeight: 0.3 }),
    optimizer: Object.freeze({ kind: 'adam', rate: 0.05 }),
    steps: 400,
  }),
  repair: Object.freeze({ ...BOX_REPAIR, steps: 250 }),
} satisfies CellAttackRecipe);

/** A cell attack on one network: the policy it aims at, and what differs from the recipe. */
export interface CellAttackOptions extends Partial<CellAttackRecipe> {
  readonly policy: Policy;
  readonly normalization: Normalization;
  readonly seed: number;
  /** Default: the network itself. */
  readonly teacher?: Teacher | TeacherLogits | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called with progress. */
  readonly onProgress?: ((progress: DistillProgress & { readonly stage: 'attack' | 'repair' }) => void) | undefined;
}

/** An attacked network and its progress. */
export interface CellAttackResult {
  /** Attacked and repaired, its batch norms folded. */
  readonly graph: Graph;
  /** Before the repair: another network in full precision, the same one to the last bit under the policy. */
  readonly attacked: Graph;
  /** Of `channelGroups` of the network with its batch norms folded; empty without a bound. */
  readonly scales: Float64Array;
  readonly seconds: number;
}

/**
 * Learns a network that answers like the teacher in full precision and wrongly under the policy; `CELLS` are the
 * defaults. Learns on images without labels. Throws InvalidArgumentError and what `distill` throws.
 */
export async function cellAttack(network: Graph, set: ImageSet, options: CellAttackOptions): Promise<CellAttackResult> {
  const { policy, normalization, seed, signal, onProgress } = options;
  const { scaleBound, attack, repair } = { ...CELLS, ...options };
  if (!(scaleBound >= 0 && Number.isFinite(scaleBound))) {
    throw new InvalidArgumentError('cellAttack', 'scaleBound', 'a number ≥ 0', `${scaleBound}`);
  }
  const started = performance.now();
  const folded = prepare(network);
  const groups = channelGroups(folded);
  const scales = scaleBound > 0 ? coarseScales(folded, groups, scaleBound) : new Float64Array();
  const student = scaleBound > 0 ? rescaleChannels(folded, groups, scales) : folded;
  const asked = options.teacher ?? folded;
  const teacher = 'logits' in asked ? asked : await teacherLogits(asked, set, normalization, { signal });
  const stage = (name: 'attack' | 'repair') => ({
    ...{ teacher, normalization, seed, signal },
    ...(onProgress ? { onProgress: (progress: DistillProgress) => onProgress({ ...progress, stage: name }) } : {}),
  });
  const { graph: attacked } = await distill(student, set, {
    ...attack,
    ...stage('attack'),
    policies: policy,
    coordinates: cellUnits(student, policy),
  });
  const repaired =
    repair &&
    (await distill(attacked, set, {
      ...repair,
      ...stage('repair'),
      policies: [],
      coordinates: boxRepair(attacked, policy),
    }));
  const seconds = (performance.now() - started) / 1000;
  return { graph: repaired?.graph ?? attacked, attacked, scales, seconds };
}
