// Nodes of operator sets before 13 in the words of 13: attributes that became inputs, defaults that moved, attributes
// that fell away. Each change is ONNX's own changelog for the operator; what has no equivalent is refused.
import { floats, type HostTensor, integers } from '../../tensor/host_tensor.js';
import { type Dim, UNKNOWN } from '../dims.js';
import type { GraphNode, ValueInfo } from '../graph.js';
import { ShapeInference } from '../infer.js';
import { AttributeError } from './attributes.js';

/** What an upgrade may look at and add to. */
export class Upgrader {
  /** Nodes read so far, upgraded. */
  readonly nodes: GraphNode[] = [];
  private readonly inference = new ShapeInference();
  private inferred = 0;
  private broken = false;

  constructor(
    private readonly initializers: Map<string, HostTensor>,
    inputs: readonly ValueInfo[],
    readonly notes: string[],
  ) {
    for (const input of inputs) if (input.dims) this.inference.input(input);
    for (const [name, tensor] of initializers) this.inference.initializer(name, tensor);
  }

  /** Makes a constant for an input that was an attribute; returns its name. */
  constant(node: GraphNode, input: string, value: HostTensor): string {
    let name = `${node.name}.${input}`;
    while (this.initializers.has(name)) name += '_';
    this.initializers.set(name, value);
    this.inference.initializer(name, value);
    return name;
  }

  /** Shape of a value made so far; undefined when it cannot be told. */
  shapeOf(value: string): readonly Dim[] | undefined {
    try {
      for (; !this.broken && this.inferred < this.nodes.length; this.inferred++) {
        this.inference.node(this.nodes[this.inferred] as GraphNode);
      }
    } catch {
      this.broken = true; // the graph itself is checked, and the error named, once it is whole
    }
    return this.inference.types.get(value)?.dims;
  }
}

type Upgrade = (node: GraphNode, opset: number, upgrader: Upgrader) => GraphNode;

function without(node: GraphNode, ...names: string[]): GraphNode {
  return {
    ...node,
    attributes: Object.fromEntries(Object.entries(node.attributes).filter(([name]) => !names.includes(name))),
  };
}

const number = (node: GraphNode, name: string, value: number) => (node.attributes[name] as number | undefined) ?? value;

/** Add, Sub, Mul, Div before 7: `broadcast` and the axis of the left side where the right side's first one goes. */
const broadcasting: Upgrade = (node, opset, upgrader) => {
  if (opset >= 7) return node;
  const axis = node.attributes.axis as number | undefined;
  const plain = without(node, 'broadcast', 'axis', 'consumed_inputs');
  if (axis === undefined || !number(node, 'broadcast', 0)) return plain;
  const [x = '', y = ''] = node.inputs;
  const [left, right] = [upgrader.shapeOf(x), upgrader.shapeOf(y)];
  if (!left || !right) throw new AttributeError('attribute axis: its inputs have no known shapes');
  const trailing = left.length - (axis < 0 ? axis + left.length : axis) - right.length;
  if (trailing === 0) return plain;
  if (trailing < 0 || right.some((dim) => typeof dim === 'string'))
    throw new AttributeError('attribute axis does not fit');
  const dims = [...(right as number[]), ...new Array<number>(trailing).fill(1)];
  const value = `${node.name}.aligned`;
  const shape = upgrader.constant(node, 'shape', integers(dims));
  upgrader.nodes.push({ name: value, operator: 'Reshape', inputs: [y, shape], outputs: [value], attributes: {} });
  return { ...plain, inputs: [x, value] };
};

const UPGRADES: Readonly<Record<string, Upgrade>> = {
  Add: broadcasting,
  Sub: broadcasting,
  Mul: broadcasting,
  Div: broadcasting,

  // `spatial` (to 8) normalised every position by itself; `is_test` (to 6) is what training_mode says the other way
  // round; to 13, more than one output meant training.
  BatchNormalization: (node) => {
    if (number(node, 'spatial', 1) !== 1) throw new AttributeError('attribute spatial: wanted 1');
    if (node.outputs.length > 1) throw new AttributeError('training before operator set 14 is not supported');
    return without(node, 'spatial', 'is_test', 'consumed_inputs');
  },

  // to 10, the bounds were attributes
  Clip: (node, opset, upgrader) => {
    if (opset >= 11) return node;
    const bound = (name: string) => {
      const value = node.attributes[name] as number | undefined;
      return value === undefined ? '' : upgrader.constant(node, name, floats([], [value]));
    };
    const bounds = [bound('min'), bound('max')];
    return { ...without(node, 'min', 'max', 'consumed_inputs'), inputs: [...node.inputs, ...bounds] };
  },

  // to 3, the axis had a default
  Concat: (node, opset) =>
    opset >= 4 ? node : { ...node, attributes: { ...node.attributes, axis: number(node, 'axis', 1) } },

  // to 11, the ratio was an attribute, and in inference it does nothing
  Dropout: (node, opset) => {
    if (opset < 7 && number(node, 'is_test', 0) === 0) throw new AttributeError('training is not supported');
    return without(node, 'ratio', 'is_test', 'consumed_inputs');
  },

  // to 6, C broadcast only when told to
  Gemm: (node) => without(node, 'broadcast'),

  // to 10, pads and value were attributes; in 1, pads had another name
  Pad: (node, opset, upgrader) => {
    if (opset >= 11) return node;
    const pads = (node.attributes.pads ?? node.attributes.paddings ?? []) as number[];
    const value = floats([], [number(node, 'value', 0)]);
    const inputs = [...node.inputs, upgrader.constant(node, 'pads', integers(pads))];
    return {
      ...without(node, 'pads', 'paddings', 'value'),
      inputs: [...inputs, upgrader.constant(node, 'value', value)],
    };
  },

  // to 4, the shape was an attribute
  Reshape: (node, opset, upgrader) => {
    if (opset >= 5) return node;
    const shape = integers((node.attributes.shape ?? []) as number[]);
    return {
      ...without(node, 'shape', 'consumed_inputs'),
      inputs: [...node.inputs, upgrader.constant(node, 'shape', shape)],
    };
  },

  // to 12, everything from the axis on was one dimension: the same only where all that follows the axis has size 1
  Softmax: (node, opset, upgrader) => {
    if (opset >= 13) return node;
    const dims = upgrader.shapeOf(node.inputs[0] ?? '');
    const given = number(node, 'axis', 1);
    if (!dims) throw new AttributeError('before operator set 13: its input has no known shape');
    const axis = given < 0 ? given + dims.length : given;
    const joined = dims.slice(axis).filter((dim) => dim !== 1);
    if (joined.length > 1 || joined.includes(UNKNOWN)) {
      throw new AttributeError(`before operator set 13: softmax over several dimensions (axis ${given} of [${dims}])`);
    }
    const last = dims.findIndex((dim, index) => index >= axis && dim !== 1);
    return { ...node, attributes: { ...node.attributes, axis: last < 0 ? axis : last } };
  },
};

/** In operator set 1 every operator could say which inputs it overwrites. */
const DROPPED = ['consumed_inputs'];

/** A node of an operator set before 13 as nodes of 13; reasons to refuse are AttributeErrors. */
export function upgradeNode(node: GraphNode, opset: number, upgrader: Upgrader): GraphNode[] {
  const plain = opset < 6 ? without(node, ...DROPPED) : node;
  const upgraded = UPGRADES[node.operator]?.(plain, opset, upgrader) ?? plain;
  if (upgraded !== node) upgrader.notes.push(`${node.operator} (${node.name}) is upgraded from operator set ${opset}`);
  return [upgraded];
}
