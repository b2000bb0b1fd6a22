// The cross-entropy method (Rubinstein, "The Cross-Entropy Method for Combinatorial and Continuous Optimization", 1999):
// every node has probabilities of its bits; policies are drawn from their product given the budget, and the probabilities
// move towards the best of each generation.
import { formatScheme, type Scheme } from '../../format/scheme.js';
import { defineAgent } from '../agent.js';
import { keyOf, type NodeSchemes } from '../space.js';

/** Of the evaluations, in each generation. */
const GENERATION_SHARE = 1 / 5;
const LEAST_GENERATION = 5;
const MOST_GENERATION = 100;
const ELITE_SHARE = 0.25;
const LEAST_ELITE = 2;
/** How far probabilities move to the shares among the elite. */
const STEP = 0.7;
/** Draws that may give policies evaluated before; then one that was not is taken from the whole budget. */
const DRAWS = 32;

export const cem = defineAgent({
  kind: 'static',
  name: 'cem',
  description: 'cross-entropy method: probabilities of bits, drawn to the best policies',
  play: async (environment, random) => {
    const { space } = environment;
    const probabilities = space.names.map((_, node) => {
      const options = space.optionsOf(node);
      return new Map(options.map((bits) => [formatScheme(bits), 1 / options.length]));
    });
    const weight = (node: number, bits: Scheme) => probabilities[node]?.get(formatScheme(bits)) as number;
    const share = Math.round(environment.left * GENERATION_SHARE);
    const size = Math.min(MOST_GENERATION, Math.max(LEAST_GENERATION, share));
    while (!environment.done) {
      const generation: NodeSchemes[] = [];
      const keys = new Set<string>();
      for (let draws = 0; generation.length < Math.min(size, environment.left); ) {
        draws += 1;
        const drawn = draws > DRAWS * size ? undefined : space.draw(weight, random);
        const isNew = drawn && environment.known(drawn) === undefined && !keys.has(keyOf(drawn));
        const candidate = isNew ? drawn : draws < DRAWS * size ? undefined : environment.unseen(random, keys);
        if (!candidate) {
          if (draws < DRAWS * size) continue;
          break;
        }
        keys.add(keyOf(candidate));
        generation.push(candidate);
      }
      const fitnesses = await environment.evaluate(generation);
      const order = fitnesses.map((fitness, i) => ({ fitness, candidate: generation[i] as NodeSchemes }));
      order.sort((a, b) => b.fitness - a.fitness);
      const elite = order.slice(0, Math.max(LEAST_ELITE, Math.round(ELITE_SHARE * order.length)));
      probabilities.forEach((node, i) => {
        for (const [key, before] of node) {
          const among = elite.filter(({ candidate }) => formatScheme(candidate[i] as Scheme) === key).length;
          node.set(key, before + STEP * (among / elite.length - before));
        }
      });
    }
  },
});
