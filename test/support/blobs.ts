// A small network with images, and small searches by input, for the tests of lib/search.
import type { Graph } from '../../lib/graph/graph.js';
import { buildModel } from '../../lib/models/index.js';
import type { EvaluationData } from '../../lib/runtime/evaluate_policies.js';
import type { ActivationBudget } from '../../lib/search/space.js';
import { Random } from '../../lib/tensor/random.js';

export const SIDE = 8;

/** Three quantizable nodes, random weights. */
export const graph: Graph = buildModel('convnet2', { input: [1, SIDE, SIDE], classes: 4, seed: 5 });

/** Mean 5 of 2, 4 and 8 bits: not every sum can be reached, and nodes may get what others leave. */
export const budget: ActivationBudget = { bits: 14 / 3, choices: ['W8A2', 'W8A4', 'W8A8'], counted: 'activations' };

/** Blobs at random places; labels are random: nothing here may depend on them. */
export function blobs(count: number, seed: number): EvaluationData {
  const random = new Random(seed);
  const inputs = new Float32Array(count * SIDE * SIDE);
  for (let i = 0; i < count; i++) {
    const [y, x, height] = [random.uniform(0, SIDE), random.uniform(0, SIDE), random.uniform(1, 3)];
    for (let p = 0; p < SIDE * SIDE; p++) {
      const distance = (Math.floor(p / SIDE) - y) ** 2 + ((p % SIDE) - x) ** 2;
      inputs[i * SIDE * SIDE + p] = height * Math.exp(-distance / 4) + 0.1 * random.normal();
    }
  }
  const labels = Int32Array.from({ length: count }, () => random.integer(4));
  return { dims: [count, 1, SIDE, SIDE], inputs, labels };
}

/** A search by input that takes a second. */
export const SMALL = {
  budget,
  objective: 'detrimental',
  seed: 3,
  grid: 4,
  candidates: 4,
  screened: 50,
  compared: 200,
} as const;
export const SMALL_GATE = { hidden: 16, epochs: 4, batchSize: 64 };
export const SMALL_PPO = { iterations: 3, inputs: 32, hidden: 16, gate: SMALL_GATE };
