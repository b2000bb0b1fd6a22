// A policy by input with a gate and an actor of lively weights, on the small network of blobs.ts.
import { integer } from '../../lib/runtime/backends/integer.js';
import { compile } from '../../lib/runtime/program.js';
import { InputPolicy } from '../../lib/search/input_policy.js';
import { Mlp } from '../../lib/search/mlp.js';
import { Observer, STATISTICS, Standardizer } from '../../lib/search/observation.js';
import { ActivationSpace } from '../../lib/search/space.js';
import { Random } from '../../lib/tensor/random.js';
import { budget, graph } from './blobs.js';

export const program = compile(graph, integer());
export const space = new ActivationSpace(graph, program.products, budget);
const GRID = 4;
const INPUTS = GRID * GRID + STATISTICS;

/** A standardizer that changes nothing. */
export const unit = (features: number) =>
  new Standardizer(new Float32Array(features), new Float32Array(features).fill(1));

/** Weights large enough for choices to differ by sample. */
function lively(sizes: readonly number[], seed: number): Mlp {
  const mlp = Mlp.make('lively', sizes, new Random(seed));
  mlp.learn({ kind: 'sgd', rate: 1, momentum: 0 });
  const random = new Random(seed + 1);
  const x = Float32Array.from({ length: 64 * mlp.inputs }, () => random.normal());
  mlp.step(x, 64, 1, (_, dy) => {
    for (let i = 0; i < dy.length; i++) dy[i] = random.normal();
  });
  return mlp;
}

function makePolicy(): InputPolicy {
  const candidates = [...space.all()].slice(0, 3);
  const policy = new InputPolicy({
    space,
    observer: new Observer(GRID),
    inputScale: unit(INPUTS),
    nodeScales: space.names.map(() => unit(STATISTICS)),
    candidates,
    gate: lively([INPUTS, 8, candidates.length], 1),
    actor: undefined,
    pull: 0.5,
  });
  return policy.with({ actor: lively([policy.features, 8, space.width + 1], 2) });
}
/** Chooses otherwise for each sample. */
export const policy: InputPolicy = makePolicy();
