// An input-conditioned policy: while a network runs, it chooses the bits of each node's activation for each sample by
// itself, from what can be seen of that sample so far, and every sample meets the budget exactly. It knows no labels.
//
// Two parts, either of which may be missing. A gate looks at the input once and suggests one of a few static policies
// that complement each other. An actor looks at every node's activation and may depart from the suggestion.

import type { Value } from '../autograd/tape.js';
import { InvalidArgumentError } from '../core/errors.js';
import { MOST_BITS } from '../format/numeric_format.js';
import type { Scheme } from '../format/scheme.js';
import type { GraphNode } from '../graph/graph.js';
import type { SchemeChooser } from '../runtime/product_scheme.js';
import type { Mlp } from './mlp.js';
import { type Observer, rawInputFeatures, STATISTICS, type Standardizer } from './observation.js';
import type { ActivationSpace } from './space.js';

/** What the agent decides on at one node of one batch. */
export interface Decision {
  readonly node: number;
  readonly samples: number;
  /** [samples, InputPolicy.features]; empty without an actor. */
  readonly observation: Float32Array;
  /** [samples, width]: of the options, those that are closed at −∞. */
  readonly logits: Float32Array;
  /** [samples, width]: what of the logits is not the actor's, the pull of the suggestion and −∞. */
  readonly offsets: Float32Array;
  /** Bit masks of the open options, [samples]. */
  readonly open: Uint8Array;
}

/** Writes an option of every sample: one whose logit is finite. */
export type Decider = (decision: Decision, options: Uint8Array) => void;

/** The open option of the largest logit, the first of equals. */
const decideBest: Decider = ({ samples, logits, open }, options) => {
  const width = logits.length / samples;
  for (let i = 0; i < samples; i++) {
    let best = -1;
    for (let k = 0; k < width; k++) {
      if (!(((open[i] as number) >> k) & 1)) continue;
      if (best < 0 || (logits[i * width + k] as number) > (logits[i * width + best] as number)) best = k;
    }
    options[i] = best;
  }
};

interface InputPolicyParts {
  readonly space: ActivationSpace;
  readonly observer: Observer;
  /** Of the gate's features: the small picture of the first node's activation and its statistics. */
  readonly inputScale: Standardizer;
  /** Of the statistics of each node's activation. */
  readonly nodeScales: readonly Standardizer[];
  /** Static policies to suggest, as option numbers of the space. */
  readonly candidates: readonly Uint8Array[];
  /** Gives each candidate a score; without it the first candidate is suggested always. */
  readonly gate: Mlp | undefined;
  readonly actor: Mlp | undefined;
  /** What a suggestion adds to its option's logit: how much the actor must be in favour of another to depart from it. */
  readonly pull: number;
}

/** Odds of e² : 1 for the suggestion before the actor has learned anything: roll-outs depart from it now and then. */
export const DEFAULT_PULL = 2;

/** One batch on its way through the network. */
class Pass {
  /** Options chosen so far, [samples, nodes]. */
  readonly options: Uint8Array;
  private readonly spent: Float64Array;
  private inputs: Float32Array = new Float32Array(0);
  private suggested: Uint16Array | undefined;
  private next = 0;

  constructor(
    private readonly policy: InputPolicy,
    readonly samples: number,
    private readonly decide: Decider,
  ) {
    this.options = new Uint8Array(samples * policy.space.names.length);
    this.spent = new Float64Array(samples);
  }

  /** The plan's question: bits for the activation of this node. */
  readonly choose: SchemeChooser = (node: GraphNode, activation: Value) => {
    const { space } = this.policy;
    const place = space.place(node.name);
    if (place === undefined) return undefined;
    const { samples, options } = this;
    if (place === 0) this.first(activation);
    if (place !== this.next) {
      const expected = space.names[this.next] ?? 'no other node';
      throw new InvalidArgumentError('input policy', 'node', `${expected}: the order of the policy`, node.name);
    }
    this.next += 1;
    const nodes = space.names.length;
    const open = new Uint8Array(samples);
    for (let i = 0; i < samples; i++) open[i] = space.open(place, this.spent[i] as number);
    const observation = this.observe(place, activation);
    const offsets = this.offsets(place, open);
    const logits = this.logits(observation, offsets);
    const chosen = new Uint8Array(samples);
    this.decide({ node: place, samples, observation, logits, offsets, open }, chosen);
    const bits = new Uint8Array(samples);
    for (let i = 0; i < samples; i++) {
      const option = chosen[i] as number;
      options[i * nodes + place] = option;
      (this.spent[i] as number) += space.cost(place, option);
      bits[i] = space.options[place]?.[option] as number;
    }
    return { scheme: space.schemes[place]?.[0] as Scheme, sampleBits: bits };
  };

  private first(activation: Value): void {
    const { policy, samples } = this;
    this.next = 0;
    this.spent.fill(0);
    this.inputs = policy.inputFeatures(activation, samples);
    this.suggested = policy.suggest(this.inputs, samples);
  }

  private suggestion(sample: number, node: number): number {
    const candidate = this.suggested?.[sample];
    return candidate === undefined ? -1 : (this.policy.candidates[candidate]?.[node] as number);
  }

  private observe(node: number, activation: Value): Float32Array {
    const { policy, samples } = this;
    if (!policy.actor) return new Float32Array(0);
    const { space, features } = policy;
    const nodes = space.names.length;
    const out = new Float32Array(samples * features);
    const statistics = new Float32Array(samples * STATISTICS);
    policy.observer.statistics(activation, samples, statistics);
    policy.nodeScales[node]?.apply(statistics, out, nodes, features);
    const inputs = this.inputs.length / samples;
    const total = space.names.reduce((sum, _, at) => sum + Math.max(...(space.options[at] as number[])), 0);
    for (let i = 0; i < samples; i++) {
      const row = out.subarray(i * features, (i + 1) * features);
      row[node] = 1;
      let at = nodes + STATISTICS;
      row.set(this.inputs.subarray(i * inputs, (i + 1) * inputs), at);
      at += inputs;
      let bits = 0;
      for (let before = 0; before < node; before++) {
        const chosen = space.options[before]?.[this.options[i * nodes + before] as number] as number;
        row[at + before] = chosen / MOST_BITS;
        bits += chosen;
      }
      at += nodes;
      row[at] = 1 - bits / total;
      row[at + 1] = 1 - node / nodes;
      const suggestion = this.suggestion(i, node);
      if (suggestion >= 0) row[at + 2 + suggestion] = 1;
    }
    return out;
  }

  private offsets(node: number, open: Uint8Array): Float32Array {
    const { policy, samples } = this;
    const { width } = policy.space;
    const offsets = new Float32Array(samples * width);
    for (let i = 0; i < samples; i++) {
      const suggestion = this.suggestion(i, node);
      if (suggestion >= 0) offsets[i * width + suggestion] = policy.pull;
      for (let k = 0; k < width; k++) {
        if (!(((open[i] as number) >> k) & 1)) offsets[i * width + k] = Number.NEGATIVE_INFINITY;
      }
    }
    return offsets;
  }

  private logits(observation: Float32Array, offsets: Float32Array): Float32Array {
    const { actor, space } = this.policy;
    if (!actor) return offsets;
    const outputs = actor.forward(observation, this.samples);
    return offsets.map((offset, at) => {
      const [sample, option] = [Math.floor(at / space.width), at % space.width];
      return offset + (outputs[sample * actor.outputs + option] as number);
    });
  }
}

/** A policy that chooses activation bits for each input, within an exact budget. */
export class InputPolicy implements InputPolicyParts {
  readonly space: ActivationSpace;
  readonly observer: Observer;
  readonly inputScale: Standardizer;
  readonly nodeScales: readonly Standardizer[];
  readonly candidates: readonly Uint8Array[];
  readonly gate: Mlp | undefined;
  readonly actor: Mlp | undefined;
  readonly pull: number;

  constructor(parts: InputPolicyParts) {
    this.space = parts.space;
    this.observer = parts.observer;
    this.inputScale = parts.inputScale;
    this.nodeScales = parts.nodeScales;
    this.candidates = parts.candidates;
    this.gate = parts.gate;
    this.actor = parts.actor;
    this.pull = parts.pull;
  }

  /** This policy with other parts. */
  with(parts: Partial<InputPolicyParts>): InputPolicy {
    return new InputPolicy({ ...this.parts, ...parts });
  }

  private get parts(): InputPolicyParts {
    const { space, observer, inputScale, nodeScales, candidates, gate, actor, pull } = this;
    return { space, observer, inputScale, nodeScales, candidates, gate, actor, pull };
  }

  /**
   * Numbers in an actor's observation: which node, its statistics, the input, bits so far, what is left, the
   * suggestion.
   */
  get features(): number {
    const nodes = this.space.names.length;
    return nodes + STATISTICS + this.inputScale.mean.length + nodes + 2 + this.space.width;
  }

  /** What the gate sees of the first node's activation: [samples, features], standardised. */
  inputFeatures(activation: Value, samples: number): Float32Array {
    const raw = rawInputFeatures(this.observer, activation, samples);
    const features = this.inputScale.mean.length;
    const out = new Float32Array(samples * features);
    this.inputScale.apply(raw, out, 0, features);
    return out;
  }

  /** Number of the candidate for each sample; undefined without candidates. */
  suggest(inputs: Float32Array, samples: number): Uint16Array | undefined {
    const { gate, candidates } = this;
    if (candidates.length === 0) return undefined;
    const suggested = new Uint16Array(samples);
    if (!gate) return suggested;
    const scores = gate.forward(inputs, samples);
    const count = gate.outputs;
    for (let i = 0; i < samples; i++) {
      let best = 0;
      for (let k = 1; k < count; k++) {
        if ((scores[i * count + k] as number) > (scores[i * count + best] as number)) best = k;
      }
      suggested[i] = best;
    }
    return suggested;
  }

  /** Starts a batch of samples through a plan: hand `choose` to its `run`. Deterministic unless `decide` draws. */
  begin(samples: number, decide: Decider = decideBest): Pass {
    return new Pass(this, samples, decide);
  }
}
