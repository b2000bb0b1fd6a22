// Actor and critic of a deterministic policy gradient (Lillicrap et al., "Continuous control with deep reinforcement
// learning", 2015): two small networks, trained on the tape. Returns are known when an episode ends, so the critic learns
// them as they are, without a target network.
import { concat } from '../autograd/ops/movement.js';
import { unary } from '../autograd/ops/unary.js';
import { Tape, type Value } from '../autograd/tape.js';
import { onOneThread } from '../native/threads.js';
import { Memory } from '../tensor/memory.js';
import type { Random } from '../tensor/random.js';
import { Mlp } from './mlp.js';

interface ActorCriticOptions {
  /** Numbers in an observation. */
  readonly features: number;
  /** Units in each of two hidden layers. */
  readonly hidden: number;
  readonly actorRate: number;
  readonly criticRate: number;
}

/** The last layer of the actor starts this close to zero, so that first actions are about ½. */
const LAST_BOUND = 3e-3;

/** inputs → hidden → hidden → 1 */
function learner(name: string, inputs: number, hidden: number, rate: number, random: Random): Mlp {
  const network = Mlp.make(name, [inputs, hidden, hidden, 1], {
    activation: 'Relu',
    layer: (layer, width, _, last) => ({
      random: random.split(`${name}.${['first', 'second', 'last'][layer - 1]}`),
      bound: last ? LAST_BOUND : 1 / Math.sqrt(width),
      biases: true,
    }),
  });
  network.learn({ kind: 'adam', rate });
  return network;
}

export class ActorCritic {
  private readonly actor: Mlp;
  private readonly critic: Mlp;
  private readonly memory = new Memory();

  constructor({ features, hidden, actorRate, criticRate }: ActorCriticOptions, random: Random) {
    this.actor = learner('actor', features, hidden, actorRate, random);
    this.critic = learner('critic', features + 1, hidden, criticRate, random);
  }

  private tape(record: boolean): Tape {
    this.memory.reset();
    return new Tape({ memory: this.memory, training: false, record });
  }

  private batch(tape: Tape, data: Float32Array, width: number): Value {
    return tape.constant(data, [data.length / width, width]);
  }

  private actions(tape: Tape, observations: Float32Array): Value {
    return unary(tape, 'sigmoid', this.actor.run(tape, this.batch(tape, observations, this.actor.inputs)));
  }

  private values(tape: Tape, observations: Float32Array, actions: Value): Value {
    return this.critic.run(tape, concat(tape, [this.batch(tape, observations, this.actor.inputs), actions], 1));
  }

  /** observations: [count, features] → actions, [count], in (0, 1). */
  act(observations: Float32Array): Float32Array {
    return onOneThread(() => this.actions(this.tape(false), observations).data.slice());
  }

  /** One step of the critic towards the returns, mean squared error; then one of the actor up the critic. */
  learn(observations: Float32Array, actions: Float32Array, returns: Float32Array): void {
    onOneThread(() => {
      const count = returns.length;
      const tape = this.tape(true);
      const value = this.values(tape, observations, this.batch(tape, actions, 1));
      const error = value.data.map((predicted, i) => (2 * (predicted - (returns[i] as number))) / count);
      tape.backward(value, error);
      this.critic.update(1);
      const again = this.tape(true);
      const values = this.values(again, observations, this.actions(again, observations));
      again.backward(values, new Float32Array(count).fill(-1 / count));
      this.actor.update(1);
    });
  }
}
