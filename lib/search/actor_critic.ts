// Actor and critic of a deterministic policy gradient (Lillicrap et al., "Continuous control with deep reinforcement
// learning", 2015): two small networks, as graphs, trained on the tape. Returns are known when an episode ends, so the
// critic learns them as they are, without a target network.
import { Tape, type Value } from '../autograd/tape.js';
import { GraphBuilder } from '../graph/builder.js';
import { FloatProgram } from '../graph/float.js';
import type { Graph } from '../graph/graph.js';
import { Parameters } from '../graph/parameters.js';
import { onOneThread } from '../native/threads.js';
import { floats } from '../tensor/host_tensor.js';
import { Memory } from '../tensor/memory.js';
import type { Random } from '../tensor/random.js';
import { Optimizer } from '../train/optimizer.js';

export interface ActorCriticOptions {
  /** Numbers in an observation. */
  readonly features: number;
  /** Units in each of two hidden layers. */
  readonly hidden: number;
  readonly actorRate: number;
  readonly criticRate: number;
}

/** The last layer of the actor starts this close to zero, so that first actions are about ½. */
const LAST_BOUND = 3e-3;
const STEADY = { factor: 1 };

/** inputs → hidden → hidden → 1; by a sigmoid where `squash`. */
function network(
  name: string,
  inputs: readonly (readonly [string, number])[],
  hidden: number,
  squash: boolean,
  random: Random,
): Graph {
  const builder = new GraphBuilder(name);
  const names = inputs.map(([input, width]) => builder.input(input, ['N', width]));
  let width = inputs.reduce((sum, [, own]) => sum + own, 0);
  let x = names.length > 1 ? builder.node('both', 'Concat', names, { attributes: { axis: 1 } }) : (names[0] as string);
  const linear = (layer: string, from: string, out: number, bound: number) => {
    const stream = random.split(`${name}.${layer}`);
    const draw = (size: number) => Float32Array.from({ length: size }, () => stream.uniform(-bound, bound));
    const weight = builder.initializer(`${layer}.weight`, floats([out, width], draw(out * width)));
    const bias = builder.initializer(`${layer}.bias`, floats([out], draw(out)));
    width = out;
    return builder.node(layer, 'Gemm', [from, weight, bias], { attributes: { transB: 1 } });
  };
  for (const layer of ['first', 'second']) {
    x = builder.node(`${layer}.relu`, 'Relu', [linear(layer, x, hidden, 1 / Math.sqrt(width))]);
  }
  x = linear('last', x, 1, LAST_BOUND);
  builder.output(squash ? builder.node('squash', 'Sigmoid', [x]) : x);
  return builder.build();
}

/** One network with what trains it. */
class Learner {
  readonly parameters: Parameters;
  private readonly program: FloatProgram;
  private readonly optimizer: Optimizer;
  private readonly output: string;
  private steps = 0;

  constructor(graph: Graph, rate: number) {
    this.parameters = new Parameters(graph);
    this.program = new FloatProgram(graph);
    this.optimizer = new Optimizer({ kind: 'adam', rate }, this.parameters);
    this.output = graph.outputs[0]?.name as string;
  }

  run(tape: Tape, feeds: Readonly<Record<string, Value>>): Value {
    return this.program.run(tape, this.parameters, feeds).get(this.output) as Value;
  }

  step(): void {
    this.steps += 1;
    this.optimizer.step(this.steps, STEADY, 0); // no clipping, so the norm does not count
  }
}

export class ActorCritic {
  private readonly actor: Learner;
  private readonly critic: Learner;
  private readonly memory = new Memory();
  private readonly features: number;

  constructor(options: ActorCriticOptions, random: Random) {
    const { features, hidden, actorRate, criticRate } = options;
    this.features = features;
    this.actor = new Learner(network('actor', [['observation', features]], hidden, true, random), actorRate);
    const inputs = [
      ['observation', features],
      ['action', 1],
    ] as const;
    this.critic = new Learner(network('critic', inputs, hidden, false, random), criticRate);
  }

  private tape(record: boolean): Tape {
    this.memory.reset();
    return new Tape({ memory: this.memory, training: false, record });
  }

  /** observations: [count, features] → actions, [count], in (0, 1). */
  act(observations: Float32Array): Float32Array {
    return onOneThread(() => {
      const tape = this.tape(false);
      return this.actor.run(tape, { observation: this.batch(tape, observations, this.features) }).data.slice();
    });
  }

  /** One step of the critic towards the returns, mean squared error; then one of the actor up the critic. */
  learn(observations: Float32Array, actions: Float32Array, returns: Float32Array): void {
    onOneThread(() => this.step(observations, actions, returns));
  }

  private step(observations: Float32Array, actions: Float32Array, returns: Float32Array): void {
    const count = returns.length;
    const tape = this.tape(true);
    const observation = this.batch(tape, observations, this.features);
    const value = this.critic.run(tape, { observation, action: this.batch(tape, actions, 1) });
    const error = value.data.map((predicted, i) => (2 * (predicted - (returns[i] as number))) / count);
    tape.backward(value, error);
    this.critic.step();
    const again = this.tape(true);
    const seen = this.batch(again, observations, this.features);
    const action = this.actor.run(again, { observation: this.batch(again, observations, this.features) });
    const worth = this.critic.run(again, { observation: seen, action });
    again.backward(worth, new Float32Array(count).fill(-1 / count));
    this.actor.step();
  }

  private batch(tape: Tape, data: Float32Array, width: number): Value {
    return tape.constant(data, [data.length / width, width]);
  }
}
