// Bayesian optimization (Mockus, 1975; Jones et al., "Efficient Global Optimization", 1998): a value model of all
// policies evaluated; next comes the policy of which it expects the largest improvement. The control for agents that
// use the model.
import { defineAgent } from '../agent.js';
import { neighbours } from '../climb.js';
import { type NodeSchemes, schemesOf } from '../space.js';
import { expectedImprovement, noiseCoordinates, ValueModel } from '../value_model.js';

/** Policies drawn before the model is used. */
const FIRST = 6;
/** Spaces up to this size are looked at whole; of larger ones a sample, and the neighbours of the best. */
const WHOLE = 1024;
const SAMPLE = 512;

export const bayes = defineAgent({
  kind: 'static',
  name: 'bayes',
  description: 'Bayesian optimization: the largest expected improvement',
  play: async (environment, random) => {
    const { space } = environment;
    const model = new ValueModel(space.names.length, noiseCoordinates(environment));
    const all = space.count <= BigInt(WHOLE) ? [...space.policies()].map(schemesOf) : undefined;
    let [top, topFitness] = [undefined as NodeSchemes | undefined, Number.NEGATIVE_INFINITY];
    const learn = async (candidate: NodeSchemes) => {
      const [fitness] = await environment.evaluate([candidate]);
      if (fitness === undefined) return;
      model.observe(candidate, fitness);
      if (fitness > topFitness) [top, topFitness] = [candidate, fitness];
    };
    for (let i = 0; i < FIRST && !environment.done; i++) {
      const candidate = environment.unseen(random);
      if (candidate) await learn(candidate);
    }
    while (!environment.done) {
      const pool = all ?? [
        ...Array.from({ length: SAMPLE }, () => schemesOf(space.sample(random))),
        ...(top ? random.shuffle(neighbours(environment, top)).slice(0, SAMPLE) : []),
      ];
      const fresh = pool.filter((candidate) => environment.known(candidate) === undefined);
      const predictions = model.predict(fresh);
      let best = -1;
      let most = Number.NEGATIVE_INFINITY;
      predictions.forEach((prediction, i) => {
        const gain = expectedImprovement(prediction, topFitness);
        if (gain > most) [best, most] = [i, gain];
      });
      const next = fresh[best] ?? environment.unseen(random);
      if (!next) return;
      await learn(next);
    }
  },
});
