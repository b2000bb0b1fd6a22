// Converts nodes of operator sets before 13 to 13: attributes that became inputs, changed defaults, removed
// attributes. Each operator has its changes; this applies them and keeps what they add.
import type { HostTensor } from '../../tensor/host_tensor.js';
import { OPERATORS, operatorOf } from '../check.js';
import type { Dim } from '../dims.js';
import type { Upgrade, UpgradeCall } from '../facts.js';
import { describeNode, type GraphNode, type ValueInfo } from '../graph.js';
import { ShapeInference } from '../infer.js';
import { runNode } from '../operator.js';
import { without } from '../operators/upgrades.js';
import { AttributeError } from './attributes.js';

/** The context that upgrades read and add to. */
export class Upgrader implements UpgradeCall {
  /** Nodes read so far, upgraded. */
  readonly nodes: GraphNode[] = [];
  private readonly inference = new ShapeInference();
  private inferred = 0;
  private broken = false;

  constructor(
    private readonly initializers: Map<string, HostTensor>,
    inputs: readonly ValueInfo[],
    readonly opset: number,
    readonly notes: string[],
  ) {
    for (const input of inputs) if (input.dims) this.inference.input(input);
    for (const [name, tensor] of initializers) this.inference.initializer(name, tensor);
  }

  constant(node: GraphNode, input: string, value: HostTensor): string {
    let name = `${node.name}.${input}`;
    while (this.initializers.has(name)) name += '_';
    this.initializers.set(name, value);
    this.inference.initializer(name, value);
    return name;
  }

  valueOf(value: string): HostTensor | undefined {
    this.shapeOf(value);
    return this.initializers.get(value) ?? this.inference.known.get(value);
  }

  note(node: GraphNode, what: string): void {
    this.notes.push(`${describeNode(node)}: ${what}`);
  }

  insert(node: GraphNode): void {
    this.nodes.push(node);
  }

  refuse(reason: string): never {
    throw new AttributeError(reason);
  }

  /** Makes the value of a node without inputs an initializer; false where another value has its name. */
  take(node: GraphNode): boolean {
    const [name = ''] = node.outputs;
    const [value] = runNode(operatorOf(node), node, []);
    if (name === '' || !value || this.initializers.has(name)) return false;
    this.initializers.set(name, value);
    this.inference.initializer(name, value);
    return true;
  }

  shapeOf(value: string): readonly Dim[] | undefined {
    try {
      for (; !this.broken && this.inferred < this.nodes.length; this.inferred++) {
        this.inference.node(this.nodes[this.inferred] as GraphNode);
      }
    } catch {
      this.broken = true; // the complete graph is checked later, and the error named there
    }
    return this.inference.types.get(value)?.dims;
  }
}

/** By the name of the operator in sets before 13. */
const UPGRADES: ReadonlyMap<string, Upgrade> = new Map(
  [...OPERATORS.values()].flatMap(({ upgrades }) => (upgrades === 'none' ? [] : Object.entries(upgrades))),
);

/** In operator set 1 every operator could list the inputs it overwrites. */
const DROPPED = ['consumed_inputs'];

/** A node of an operator set before 13 as a node of 13; refusals are AttributeErrors. */
export function upgradeNode(node: GraphNode, upgrader: Upgrader): GraphNode {
  const { opset, notes } = upgrader;
  const plain = opset < 6 ? without(node, ...DROPPED) : node;
  const upgraded = UPGRADES.get(node.operator)?.(plain, upgrader) ?? plain;
  if (upgraded !== node) notes.push(`${node.operator} (${node.name}) is upgraded from operator set ${opset}`);
  return upgraded;
}
