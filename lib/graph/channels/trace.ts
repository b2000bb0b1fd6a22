// Which channels must keep one scale, found by walking a graph once. Every value that may be rescaled has slots along its
// channel axis; operators tie slots together (an addition), pin them (a sigmoid: no other scale gives the same function)
// or begin new ones (a convolution, whose weight compensates any scale of its input and output).
import type { HostTensor } from '../../tensor/host_tensor.js';
import { operatorOf } from '../check.js';
import type { Dim } from '../dims.js';
import type { ChannelCall, Slots } from '../facts.js';
import type { Graph, GraphNode, TensorType } from '../graph.js';
import { attributesOf, type NodeAttributes } from '../operator.js';

/** How a weight follows slots: the axis along which it is scaled with its outputs, or against its inputs. */
export interface ScaledAxis {
  readonly axis: number;
  /** Indices of the axis in order; of a grouped convolution's input, all channels, group after group. */
  readonly ids: Int32Array;
}

interface ScaledConstant {
  readonly node: string;
  /** It is added: a bias. */
  shift: boolean;
  made?: ScaledAxis;
  read?: ScaledAxis;
}

/** The slot of everything that must keep its scale. */
export const PINNED = 0;

/** Sets of slots (Tarjan's disjoint sets, with path halving). */
class Sets {
  private readonly parents = [PINNED];

  add(count: number): Int32Array {
    return Int32Array.from({ length: count }, () => this.parents.push(this.parents.length) - 1);
  }

  find(slot: number): number {
    const { parents } = this;
    let at = slot;
    while (parents[at] !== at) {
      parents[at] = parents[parents[at] as number] as number;
      at = parents[at] as number;
    }
    return at;
  }

  /** The smaller number stands for both, so that PINNED always represents its set. */
  join(a: number, b: number): void {
    const [first, second] = [this.find(a), this.find(b)];
    this.parents[Math.max(first, second)] = Math.min(first, second);
  }
}

/** One node, for the rule of its operator. */
class NodeTrace implements ChannelCall<NodeAttributes> {
  readonly attributes: NodeAttributes;

  constructor(
    private readonly trace: ChannelTrace,
    private readonly node: GraphNode,
  ) {
    this.attributes = attributesOf(operatorOf(node), node);
  }

  get inputCount(): number {
    return this.node.inputs.length;
  }

  slots(index: number): Slots | undefined {
    return this.trace.values.get(this.node.inputs[index] ?? '');
  }

  has(index: number): boolean {
    return (this.node.inputs[index] ?? '') !== '';
  }

  dims(index: number): readonly Dim[] {
    return this.trace.types.get(this.node.inputs[index] ?? '')?.dims ?? [];
  }

  get outputDims(): readonly Dim[] {
    return this.trace.types.get(this.node.outputs[0] ?? '')?.dims ?? [];
  }

  constant(index: number): HostTensor | undefined {
    return this.trace.graph.initializers.get(this.node.inputs[index] ?? '');
  }

  scalable(index: number): HostTensor | undefined {
    const name = this.node.inputs[index] ?? '';
    const { graph } = this.trace;
    const once = this.node.inputs.filter((input) => input === name).length === 1;
    if (!once || graph.consumers(name).length !== 1 || graph.isOutput(name)) return undefined;
    const tensor = this.constant(index);
    return tensor?.dtype === 'float32' ? tensor : undefined;
  }

  fresh(axis: number, count: number): Slots {
    return { axis, ids: this.trace.sets.add(count) };
  }

  pinned(axis: number, count: number): Slots {
    return { axis, ids: new Int32Array(count).fill(PINNED) };
  }

  pin(slots: Slots | undefined): void {
    for (const id of slots?.ids ?? []) this.trace.sets.join(id, PINNED);
  }

  tie(a: Slots, b: Slots): void {
    for (let i = 0; i < Math.max(a.ids.length, b.ids.length); i++) {
      this.trace.sets.join(a.ids[i % a.ids.length] as number, b.ids[i % b.ids.length] as number);
    }
  }

  makes(index: number, axis: number, slots: Pick<Slots, 'ids'>): void {
    this.entry(index).made = { axis, ids: slots.ids };
  }

  shifts(index: number, axis: number, slots: Slots): void {
    this.makes(index, axis, slots);
    this.entry(index).shift = true;
  }

  reads(index: number, axis: number, slots: Slots | undefined): void {
    if (slots) this.entry(index).read = { axis, ids: slots.ids };
  }

  private entry(index: number): ScaledConstant {
    const name = this.node.inputs[index] as string;
    const known = this.trace.constants.get(name) ?? { node: this.node.name, shift: false };
    this.trace.constants.set(name, known);
    return known;
  }
}

export class ChannelTrace {
  readonly sets = new Sets();
  readonly values = new Map<string, Slots>();
  readonly constants = new Map<string, ScaledConstant>();

  constructor(
    readonly graph: Graph,
    readonly types: ReadonlyMap<string, TensorType>,
  ) {
    for (const node of graph.nodes) {
      const call = new NodeTrace(this, node);
      const { channels } = operatorOf(node);
      const slots = channels === 'unknown' ? undefined : channels(call);
      if (channels === 'unknown') for (const index of node.inputs.keys()) call.pin(call.slots(index));
      if (slots) this.values.set(node.outputs[0] as string, slots);
    }
    for (const { name } of graph.outputs) {
      for (const id of this.values.get(name)?.ids ?? []) this.sets.join(id, PINNED);
    }
  }
}
