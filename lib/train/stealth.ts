// Failure under one policy alone ("stealth"): the network answers like the teacher in full precision, at the policy's
// least bits everywhere and under the policy's own bits given to other nodes, and wrongly under the policy itself. Tests
// of uniform widths, and of almost any other policy of the same budget, find nothing.
import type { ImageSet } from '../data/image_set.js';
import type { Graph } from '../graph/graph.js';
import { simplify } from '../graph/passes/index.js';
import { InvalidArgumentError } from '../native/errors.js';
import { formatBits, type Policy } from '../quant/policy.js';
import { boxRepair } from './box_repair.js';
import type { CellAttackOptions, CellAttackResult, StepRecipe } from './cell_attack.js';
import { cellUnits } from './cell_units.js';
import { type DistillProgress, distill } from './distill.js';
import { Protection, type ProtectionRecipe } from './protection.js';
import { BOX_REPAIR, CELL_ATTACK } from './recipes.js';
import { teacherLogits } from './teacher.js';

/** Settings of the stealth attack. */
export interface StealthRecipe extends ProtectionRecipe {
  readonly attack: StepRecipe;
  /** In the cells of the nodes of fewer bits, all others free; undefined: none. */
  readonly repair: StepRecipe | undefined;
}

const objective = Object.freeze({ ...CELL_ATTACK.objective, quantizedWeight: 1 });
const batchSize = 64;

/** The settings of the stealth attack. */
export const STEALTH: StealthRecipe = Object.freeze({
  attack: Object.freeze({
    ...{ ...CELL_ATTACK, objective, batchSize },
    optimizer: Object.freeze({ kind: 'adam', rate: 0.05 }),
    steps: 1400,
  }),
  repair: Object.freeze({ ...BOX_REPAIR, objective, batchSize, steps: 600 }),
  protection: 2,
  protectedLead: 2,
  uniformProtection: 0.5,
  failing: 0.7,
  near: Object.freeze([0.6, 0.2] as const),
  neighbours: 0.3,
  measureEvery: 40,
  measureImages: 256,
} satisfies StealthRecipe);

/** What stealthAttack takes: its own settings, and those of the recipe. */
export interface StealthOptions
  extends Pick<CellAttackOptions, 'policy' | 'normalization' | 'seed' | 'teacher' | 'signal' | 'onProgress'>,
    Partial<StealthRecipe> {}

/** Throws InvalidArgumentError for a policy that gives all nodes the same bits: there is no other one of these. */
export function checkStealthPolicy({ bits }: Policy): void {
  if (new Set([...bits.values()].map(formatBits)).size < 2) {
    throw new InvalidArgumentError('stealthAttack', 'policy', 'nodes of different bits', 'the same for all');
  }
}

/**
 * Learns a network that fails under one policy alone; `STEALTH` where options say nothing. Throws InvalidArgumentError,
 * also for a policy that gives all nodes the same bits, and what `distill` throws.
 */
export async function stealthAttack(
  network: Graph,
  set: ImageSet,
  options: StealthOptions,
): Promise<Omit<CellAttackResult, 'scales'>> {
  const { policy, normalization, seed, signal, onProgress } = options;
  const recipe = { ...STEALTH, ...options };
  checkStealthPolicy(policy);
  const started = performance.now();
  const student = simplify(network).graph;
  const asked = options.teacher ?? student;
  const teacher = 'logits' in asked ? asked : await teacherLogits(asked, set, normalization, { signal });
  const stage = (name: 'attack' | 'repair') => {
    const protection = new Protection(student, policy, recipe, set, normalization, seed);
    return {
      ...{ teacher, normalization, seed, signal, policies: policy },
      passes: protection.passes.bind(protection),
      ...(onProgress ? { onProgress: (progress: DistillProgress) => onProgress({ ...progress, stage: name }) } : {}),
    };
  };
  // Each weight moves by shares of its own cells: in cells of the least bits, nodes of more would move sixteen times as
  // far, and full precision would not keep up.
  const units = cellUnits(student, policy);
  const { graph: attacked } = await distill(student, set, { ...recipe.attack, ...stage('attack'), coordinates: units });
  const least = Math.min(...[...policy.bits.values()].map(({ weightBits }) => weightBits));
  const free = new Set([...policy.bits].filter(([, { weightBits }]) => weightBits > least).map(([name]) => name));
  const coordinates = boxRepair(attacked, policy, { free });
  const repaired =
    recipe.repair && (await distill(attacked, set, { ...recipe.repair, ...stage('repair'), coordinates }));
  return { graph: repaired?.graph ?? attacked, attacked, seconds: (performance.now() - started) / 1000 };
}
