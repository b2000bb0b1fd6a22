// Nodes of operator sets before 13 in the words of 13: attributes that became inputs, defaults that moved, attributes
// that fell away. Each change is ONNX's own changelog for the operator; what has no equivalent is refused.
import { floats, type HostTensor, integers } from '../../tensor/host_tensor.js';
import { type Dim, UNKNOWN } from '../dims.js';
import type { GraphNode, ValueInfo } from '../graph.js';
import { ShapeInference } from '../infer.js';
import { runNode } from '../operator.js';
import { constant } from '../operators/constant.js';
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

  /** Makes the value of a Constant node an initializer; false where another value has its name. */
  take(node: GraphNode): boolean {
    const [name = ''] = node.outputs;
    const [value] = runNode(constant, node, []);
    if (name === '' || !value || this.initializers.has(name)) return false;
    this.initializers.set(name, value);
    this.inference.initializer(name, value);
    return true;
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

/** What Resize did when it had no attribute for it. */
const ASYMMETRIC = { coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' };

/** To 12, the attribute that is an input now; the node without it, and with an input of that name. */
function attributeToInput(name: string): Upgrade {
  return (node, _opset, upgrader) => {
    const values = node.attributes[name] as number[] | undefined;
    if (!values) return node;
    return { ...without(node, name), inputs: [...node.inputs, upgrader.constant(node, name, integers(values))] };
  };
}

/** Softmax and LogSoftmax to 12: everything from the axis on was one dimension, the same where all that follows is 1. */
const softmaxAxis: Upgrade = (node, opset, upgrader) => {
  if (opset >= 13) return node;
  const dims = upgrader.shapeOf(node.inputs[0] ?? '');
  const given = number(node, 'axis', 1);
  if (!dims) {
    // Counted from the back, the last axis is the last whatever the rank.
    if (given === -1) return node;
    throw new AttributeError('before operator set 13: its input has no known shape');
  }
  const axis = given < 0 ? given + dims.length : given;
  const joined = dims.slice(axis).filter((dim) => dim !== 1);
  if (joined.length > 1 || (joined.includes(UNKNOWN) && axis !== dims.length - 1)) {
    throw new AttributeError(`before operator set 13: softmax over several dimensions (axis ${given} of [${dims}])`);
  }
  const last = dims.findIndex((dim, index) => index >= axis && dim !== 1);
  return { ...node, attributes: { ...node.attributes, axis: last < 0 ? axis : last } };
};

const UPGRADES: Readonly<Record<string, Upgrade>> = {
  Add: broadcasting,
  Sub: broadcasting,
  Mul: broadcasting,
  Div: broadcasting,
  Pow: broadcasting,

  // `spatial` (to 8) normalised every position by itself; `is_test` (to 6) is what training_mode says the other way
  // round; to 13, more than one output meant training.
  BatchNormalization: (node) => {
    if (number(node, 'spatial', 1) !== 1) throw new AttributeError('attribute spatial: expected 1');
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

  Softmax: softmaxAxis,
  LogSoftmax: softmaxAxis,

  Squeeze: attributeToInput('axes'),
  Unsqueeze: attributeToInput('axes'),
  ReduceSum: attributeToInput('axes'),
  Split: attributeToInput('split'),

  // to 9, everything was an attribute
  Slice: (node, opset, upgrader) => {
    if (opset >= 10) return node;
    const list = (name: string) => (node.attributes[name] ?? []) as number[];
    const axes = node.attributes.axes ? list('axes') : list('starts').map((_, index) => index);
    const given = { starts: list('starts'), ends: list('ends'), axes };
    const constants = Object.entries(given).map(([name, values]) => upgrader.constant(node, name, integers(values)));
    return { ...without(node, 'starts', 'ends', 'axes'), inputs: [...node.inputs, ...constants] };
  },

  // to 6, the slopes were those of the channels
  PRelu: (node, opset, upgrader) => {
    const [x = '', slope = ''] = node.inputs;
    const [dims, slopes] = [upgrader.shapeOf(x), upgrader.shapeOf(slope)];
    if (opset >= 7 || slopes?.length !== 1 || slopes[0] === 1) return node;
    if (!dims) throw new AttributeError('before operator set 7: its input has no known shape');
    const aligned = `${node.name}.aligned`;
    const shape = upgrader.constant(node, 'shape', integers([-1, ...dims.slice(2).map(() => 1)]));
    const operator = 'Reshape';
    upgrader.nodes.push({ name: aligned, operator, inputs: [slope, shape], outputs: [aligned], attributes: {} });
    return { ...node, inputs: [x, aligned] };
  },

  // 10 had no choice of coordinates; its scales were the second input
  Resize: (node, opset) => {
    if (opset >= 11) return node;
    const [x = '', scales = ''] = node.inputs;
    return { ...node, inputs: [x, '', scales], attributes: { ...node.attributes, ...ASYMMETRIC } };
  },

  // to 8 its scales were an attribute; from 10 on it is a Resize
  Upsample: (node, _opset, upgrader) => {
    const [x = '', input] = node.inputs;
    const scales = (node.attributes.scales ?? []) as number[];
    const name = input ?? upgrader.constant(node, 'scales', floats([scales.length], scales));
    const mode = node.attributes.mode === 'bilinear' ? 'linear' : (node.attributes.mode ?? 'nearest');
    return { ...node, operator: 'Resize', inputs: [x, '', name], attributes: { mode, ...ASYMMETRIC } };
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
