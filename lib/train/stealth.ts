// Failure under one policy alone ("stealth"): the network answers like the teacher in full precision, at the policy's
// least bits everywhere and under the policy's own bits given to other nodes, and wrongly under the policy itself. Tests
// of uniform widths, and of almost any other policy of the same budget, find nothing.
import type { ImageSet } from '../data/image_set.js';
import type { Graph } from '../graph/graph.js';
import { simplify } from '../graph/passes/index.js';
import { InvalidArgumentError } from '../native/errors.js';
import type { NodeBits, Policy } from '../quant/policy.js';
import { formatBits } from '../quant/policy.js';
import { Random } from '../tensor/random.js';
import { boxRepair } from './box_repair.js';
import type { CellAttackOptions, CellAttackResult, StepRecipe } from './cell_attack.js';
import { cellUnits } from './cell_units.js';
import { type DistillProgress, distill } from './distill.js';
import { mse, type Pass } from './objective.js';
import { BOX_REPAIR, CELL_ATTACK } from './recipes.js';
import { teacherLogits } from './teacher.js';

/** Settings of the stealth attack. */
export interface StealthRecipe {
  readonly attack: StepRecipe;
  /** In the cells of the nodes of fewer bits, all others free; undefined: none. */
  readonly repair: StepRecipe | undefined;
  /** Weight of the distance from the teacher under one other policy a step. */
  readonly protection: number;
  /** Weight of the same where every node has the policy's least bits. */
  readonly uniformProtection: number;
  /** Share of steps that protect a policy one exchange of two nodes' bits away, and two; else any of the same bits. */
  readonly near: readonly [number, number];
}

/** The settings of the stealth attack. */
export const STEALTH: StealthRecipe = Object.freeze({
  attack: Object.freeze({
    ...CELL_ATTACK,
    objective: Object.freeze({ ...CELL_ATTACK.objective, quantizedWeight: 0.5 }),
    optimizer: Object.freeze({ kind: 'adam', rate: 0.05 }),
    steps: 700,
  }),
  repair: Object.freeze({
    ...BOX_REPAIR,
    objective: Object.freeze({ ...CELL_ATTACK.objective, quantizedWeight: 0.5 }),
    steps: 400,
  }),
  protection: 0.5,
  uniformProtection: 0.5,
  near: Object.freeze([0.6, 0.2] as const),
} satisfies StealthRecipe);

const sum = ({ weightBits, activationBits }: NodeBits) => weightBits + activationBits;

/** Throws InvalidArgumentError for a policy that gives all nodes the same bits: no other one is like it. */
export function checkStealthPolicy({ bits }: Policy): void {
  if (new Set([...bits.values()].map(formatBits)).size < 2) {
    throw new InvalidArgumentError('stealthAttack', 'policy', 'nodes of different bits', 'the same for all');
  }
}

/** The policy with every node's bits the least that it gives any. */
export function leastBits(policy: Policy): Policy {
  const all = [...policy.bits.values()];
  const least = all.reduce((a, b) => (sum(b) < sum(a) ? b : a));
  return { ...policy, bits: new Map([...policy.bits.keys()].map((name) => [name, least])) };
}

/** The same bits given to the nodes in another way: `exchanges` pairs of nodes swap, or all are dealt anew. */
export function otherPolicy(policy: Policy, exchanges: number | 'any', random: Random): Policy {
  const names = [...policy.bits.keys()];
  const bits = [...policy.bits.values()];
  const kinds = bits.map(formatBits);
  const dealt = [...bits];
  if (exchanges === 'any') {
    do random.shuffle(dealt);
    while (dealt.every((own, i) => formatBits(own) === kinds[i]));
  } else {
    const left = random.shuffle(names.map((_, i) => i));
    for (let swap = 0; swap < exchanges; swap++) {
      const a = left.pop();
      const at = left.findIndex((b) => a !== undefined && kinds[b] !== kinds[a]);
      if (a === undefined || at < 0) break;
      const [b] = left.splice(at, 1) as [number];
      [dealt[a], dealt[b]] = [bits[b] as NodeBits, bits[a] as NodeBits];
    }
  }
  return { ...policy, bits: new Map(names.map((name, i) => [name, dealt[i] as NodeBits])) };
}

/** The passes that protect other policies in each step: told by the seed and the step alone. */
export function protectionPasses(
  policy: Policy,
  recipe: StealthRecipe,
  seed: number,
): (context: { step: number }) => Pass[] {
  const { protection, uniformProtection, near } = recipe;
  const uniform: Pass = { name: 'leastBits', bits: leastBits(policy), loss: mse, weight: uniformProtection };
  return ({ step }) => {
    const random = new Random(seed).split('protected').split(String(step));
    const draw = random.uniform();
    const exchanges = draw < near[0] ? 1 : draw < near[0] + near[1] ? 2 : 'any';
    const other: Pass = {
      name: 'protected',
      bits: otherPolicy(policy, exchanges, random),
      loss: mse,
      weight: protection,
    };
    return [uniform, other].filter(({ weight }) => weight > 0);
  };
}

/** A stealth attack on one network: the policy it aims at, and what differs from the recipe. */
export interface StealthOptions
  extends Pick<CellAttackOptions, 'policy' | 'normalization' | 'seed' | 'teacher' | 'signal' | 'onProgress'>,
    Partial<StealthRecipe> {}

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
  const stage = (name: 'attack' | 'repair') => ({
    ...{ teacher, normalization, seed, signal, policies: policy },
    passes: protectionPasses(policy, recipe, seed),
    ...(onProgress ? { onProgress: (progress: DistillProgress) => onProgress({ ...progress, stage: name }) } : {}),
  });
  // All weights move by shares of the coarsest cells: those of more bits are what tells the policies apart.
  const units = cellUnits(student, leastBits(policy));
  const { graph: attacked } = await distill(student, set, { ...recipe.attack, ...stage('attack'), coordinates: units });
  const least = Math.min(...[...policy.bits.values()].map(({ weightBits }) => weightBits));
  const free = new Set([...policy.bits].filter(([, { weightBits }]) => weightBits > least).map(([name]) => name));
  const coordinates = boxRepair(attacked, policy, { free });
  const repaired =
    recipe.repair && (await distill(attacked, set, { ...recipe.repair, ...stage('repair'), coordinates }));
  return { graph: repaired?.graph ?? attacked, attacked, seconds: (performance.now() - started) / 1000 };
}
