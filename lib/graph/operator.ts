// What an operator is: one object per ONNX operator (operators/*.ts) with its attributes, shape rule, cost, a plain
// reference forward and whether it can be quantized. Everything that walks a graph asks these objects.
import type { ConvKernels } from '../autograd/ops/conv2d.js';
import type { Tape, Value } from '../autograd/tape.js';
import { sizeOf } from '../core/shape.js';
import type { DType } from '../tensor/dtype.js';
import { type HostTensor, MAX_RANK } from '../tensor/host_tensor.js';
import type { Random } from '../tensor/random.js';
import { type Dim, formatShape } from './dims.js';
import { GraphError } from './errors.js';
import { type AttributeValue, describeNode, type GraphNode, type TensorType } from './graph.js';

export interface AttributeKinds {
  int: number;
  float: number;
  string: string;
  ints: readonly number[];
  floats: readonly number[];
  strings: readonly string[];
  tensor: HostTensor;
}
export type AttributeKind = keyof AttributeKinds;

export interface AttributeSpec<Kind extends AttributeKind = AttributeKind, Value = unknown> {
  readonly kind: Kind;
  /** What the operator takes when the attribute is absent; undefined where the operator computes it. */
  readonly default: Value;
}

/** `int(1)`: an int attribute, 1 when absent; `ints()`: undefined when absent. */
function kind<Kind extends AttributeKind>(name: Kind) {
  function spec(): AttributeSpec<Kind, undefined>;
  function spec(value: AttributeKinds[Kind]): AttributeSpec<Kind, AttributeKinds[Kind]>;
  function spec(value?: AttributeKinds[Kind]) {
    return { kind: name, default: value };
  }
  return spec;
}
export const int = kind('int');
export const float = kind('float');
export const string = kind('string');
export const ints = kind('ints');
export const floatList = kind('floats');
export const strings = kind('strings');
export const tensor = kind('tensor');

/** First and last operator set in which an attribute or input exists; absent: from 13 on, and for good. */
export interface Span {
  readonly since?: number;
  readonly until?: number;
}

export type AttributeTable = Readonly<Record<string, AttributeSpec>>;
export type Attributes<Table extends AttributeTable> = {
  readonly [Name in keyof Table]: Table[Name] extends AttributeSpec<infer Kind, infer Default>
    ? AttributeKinds[Kind] | (Default extends undefined ? undefined : never)
    : never;
};

/** One use of an operator, as its shape rule sees it. */
export interface ShapeCall<Table extends AttributeTable = AttributeTable> {
  readonly attributes: Attributes<Table>;
  /** undefined where an optional input is left out. */
  readonly inputs: readonly (TensorType | undefined)[];
  /** Outputs that are wanted: trailing optional ones may be left out. */
  readonly outputCount: number;
  /** The value of an input where it is known: always at run time, for constants during inference. */
  constant(index: number): HostTensor | undefined;
  /** Refuses, naming the node. */
  fail(what: string): never;
}

/** One use of an operator with its values. */
export interface ForwardCall<Table extends AttributeTable = AttributeTable> {
  readonly attributes: Attributes<Table>;
  readonly inputs: readonly (HostTensor | undefined)[];
  /** What the shape rule said, every dimension a number. */
  readonly outputs: readonly { readonly dtype: DType; readonly dims: readonly number[] }[];
  fail(what: string): never;
}

/** What a node keeps between its uses on the tape: convolutions made for its shapes. */
export interface NodeState {
  readonly convolutions: ConvKernels;
  /** Its stream of random numbers for this run: told by the seed, the node's name and the step alone. */
  random(): Random;
}

/** One use of an operator on the tape. Values are float32, row-major or channels-last. */
export interface FloatCall<Table extends AttributeTable = AttributeTable> {
  readonly tape: Tape;
  readonly attributes: Attributes<Table>;
  /** undefined where an input is left out or is no float32. */
  readonly inputs: readonly (Value | undefined)[];
  /** Which output to compute: 0 but for operators with `eachOutput`. */
  readonly output: number;
  /** How many outputs the node names. */
  readonly outputCount: number;
  /** The type and shape of that output. */
  readonly dtype: DType;
  readonly dims: readonly number[];
  /** With `fuses` 'relu': the result goes through a ReLU. */
  readonly relu: boolean;
  /** With `fuses` 'clip': the result is brought into these bounds; a ReLU is one. */
  readonly clip: readonly [number, number] | undefined;
  /** With `fuses` 'addition': to be added to the result, before the ReLU. */
  readonly residual: Value | undefined;
  /** Nobody reads the residual after this node. */
  readonly residualEnds: boolean;
  readonly state: NodeState;
  /** The value of an input that is computed off the tape: shapes, axes, indices, scalars. */
  host(index: number): HostTensor | undefined;
  fail(what: string): never;
}

/** One node of a graph as its facts see it. */
export interface NodeView<Table extends AttributeTable = AttributeTable> {
  readonly attributes: Attributes<Table>;
  /** Whether an optional input is there. */
  has(index: number): boolean;
  /** The value of an input that is an initializer. */
  constant(index: number): HostTensor | undefined;
}

/** What a step can compute on the way in place of nodes that follow it: an addition, a ReLU, a clip (a ReLU is one). */
export type FusedWork = 'addition' | 'relu' | 'clip';

/** What a node is to the step before it, which may compute it on the way. */
export type Fusion<Table extends AttributeTable = AttributeTable> =
  /** The sum of two values. */
  | { readonly as: 'addition' }
  /** Brings every element into bounds; `bounds` is undefined where these are computed. */
  | {
      readonly as: 'activation';
      /** A ReLU, NaN and all. */
      readonly rectifies: boolean;
      bounds(node: NodeView<Table>): readonly [low: number, high: number] | undefined;
    }
  /** Scales and shifts channels, axis 1, by constants: `affine` has them, or undefined where they are computed. */
  | { readonly as: 'affine'; affine(node: NodeView<Table>): ChannelAffine | undefined };

/** y = (x − center) · factor + shift, one of each a channel. */
export interface ChannelAffine {
  readonly center: Float32Array;
  readonly factor: Float64Array;
  readonly shift: Float32Array;
}

/** A node as a product: y[m, n] = alpha · Σ x[m, k] · w[n, k] + beta · c[n], the windows of images as rows of x. */
export interface ProductForm {
  /** `conv`: windows of an image, in groups of channels; `matmul`: rows of a matrix. */
  readonly kind: 'conv' | 'matmul';
  /** The weight's axis of output channels, n; undefined for a vector, which makes one. */
  readonly outAxis: number | undefined;
  /** The weight's axis of input channels (of one group). Axes beside these two are of size one, or come last: a window. */
  readonly inAxis: number;
  /** The activation's axis of input channels; from the end where negative. */
  readonly channelAxis: number;
  readonly groups: number;
  /** Of the window along each spatial axis. */
  readonly strides: readonly number[];
  readonly alpha: number;
  readonly beta: number;
  /** The activation is [k, m]: its samples lie along its last axis. */
  readonly transposed: boolean;
}

/** How an operator multiplies what it reads by a weight that a policy can give bits to. */
export interface Product<Table extends AttributeTable = AttributeTable> {
  /** Numbers of its inputs; `addend` is c. */
  readonly activation: number;
  readonly weight: number;
  readonly addend: number | 'none';
  /** Whether there are integer kernels for a weight of this shape. */
  takes(weightDims: readonly number[]): boolean;
  form(attributes: Attributes<Table>, weightDims: readonly number[]): ProductForm;
}

export interface Operator<Table extends AttributeTable = AttributeTable> {
  readonly name: string;
  /** First operator set that has it, where that is after 13. */
  readonly since?: number;
  /** Attributes by name and inputs by number that not every operator set from 13 to 21 has. */
  readonly spans?: Readonly<Record<string | number, Span>>;
  readonly attributes: Table;
  /** Fewest and most inputs and outputs. */
  readonly inputs: readonly [number, number];
  readonly outputs: readonly [number, number];
  readonly product: Product<Table> | 'none';
  /** Inputs that are settings or measured statistics, which training does not learn: no parameters. */
  readonly settings?: readonly number[];
  /** Types and shapes of the outputs; at least `outputCount` of them. Calls `fail` on what the operator cannot take. */
  shape(call: ShapeCall<Table>): TensorType[];
  /** Multiply-accumulates of one use; named dimensions count as one. Operators that multiply no matrices have none. */
  macs?(attributes: Attributes<Table>, inputs: readonly (TensorType | undefined)[], output: TensorType): number;
  /**
   * The outputs' values where the types of the inputs tell them (Shape), whatever the inputs hold; undefined where a
   * dimension has no number.
   */
  fromTypes?(attributes: Attributes<Table>, inputs: readonly (TensorType | undefined)[]): HostTensor | undefined;
  /**
   * The same on the tape, by native operations that keep their backward beside their forward; the first output.
   * Undefined: not in this use; the reference computes it then, and where there is no `float` at all.
   */
  float?(call: FloatCall<Table>): Value | undefined;
  /** `float` computes any of its outputs, each by itself. */
  readonly eachOutput?: true;
  /** What `float` can compute on the way in place of the nodes that follow. */
  readonly fuses: readonly FusedWork[] | 'none';
  /** What a step before it may compute in its place. */
  readonly fusion: Fusion<Table> | 'none';
  /** The reference: plain loops over float32 or float64 (sums in float64), checked against ONNX's own tests. */
  forward(call: ForwardCall<Table>): HostTensor[];
}

/** Questions about an operator that "none" answers. */
type Question = { [Key in keyof Operator]-?: 'none' extends Operator[Key] ? Key : never }[keyof Operator];

/** The answer "none" to each of these questions: an operator answers every question, in its file. */
export function none<Asked extends Question>(...questions: Asked[]): { readonly [Key in Asked]: 'none' } {
  return Object.fromEntries(questions.map((question) => [question, 'none'])) as { [Key in Asked]: 'none' };
}

/** Answers of a member of a family of operators that differ from the family's. */
export type OwnAnswers = Partial<Pick<Operator, Question>>;

/** Lets TypeScript read the attribute table off the object. */
export function defineOperator<Table extends AttributeTable>(operator: Operator<Table>): Operator {
  return operator as unknown as Operator;
}

const MAX_INPUTS = 65536;
/** For operators of any number of inputs. */
export const VARIADIC: readonly [number, number] = [1, MAX_INPUTS];
/** For operators of any number of outputs. */
export const MAX_OUTPUTS = 65536;
/** Elements of one value; a typed array holds no more. */
const MAX_ELEMENTS = 2 ** 32 - 1;

/** Attributes read before: nodes are immutable, and a run asks for those of every node. */
const attributesRead = new WeakMap<GraphNode, Attributes<AttributeTable>>();

/** The attributes of a node, defaults filled in. */
export function attributesOf(operator: Operator, node: GraphNode): Attributes<AttributeTable> {
  const before = attributesRead.get(node);
  if (before) return before;
  const values: Record<string, AttributeValue | undefined> = {};
  for (const [name, spec] of Object.entries(operator.attributes)) {
    values[name] = node.attributes[name] ?? (spec.default as AttributeValue | undefined);
  }
  attributesRead.set(node, values as Attributes<AttributeTable>);
  return values as Attributes<AttributeTable>;
}

/** Asks an operator for its output types and checks the answer. Throws GraphError naming the node. */
export function outputTypes(
  operator: Operator,
  node: GraphNode,
  inputs: readonly (TensorType | undefined)[],
  constant: (index: number) => HostTensor | undefined,
): TensorType[] {
  const fail = (what: string): never => {
    throw new GraphError(describeNode(node), what);
  };
  const types = operator.shape({
    attributes: attributesOf(operator, node),
    inputs,
    outputCount: node.outputs.length,
    constant,
    fail,
  });
  for (const { dims } of types) {
    if (dims.length > MAX_RANK) fail(`its output would have ${dims.length} dimensions, more than ${MAX_RANK}`);
    const size = dims.reduce<number>((product, dim) => product * (typeof dim === 'number' ? dim : 1), 1);
    if (dims.some((dim) => typeof dim === 'number' && !(dim >= 0)) || !(size <= MAX_ELEMENTS)) {
      fail(`its output would have the shape ${formatShape(dims)}`);
    }
  }
  return types.slice(0, node.outputs.length);
}

/** Runs a node's reference forward on its inputs. Throws GraphError naming the node. */
export function runNode(
  operator: Operator,
  node: GraphNode,
  inputs: readonly (HostTensor | undefined)[],
): HostTensor[] {
  const outputs = outputTypes(operator, node, inputs, (index) => inputs[index]);
  return operator.forward({
    attributes: attributesOf(operator, node),
    inputs,
    outputs: outputs as { dtype: DType; dims: readonly number[] }[],
    fail: (what) => {
      throw new GraphError(describeNode(node), what);
    },
  });
}

/** An input that cannot be left out. */
export function required<Value>(inputs: readonly (Value | undefined)[], index: number): Value {
  const value = inputs[index];
  if (value === undefined) throw new RangeError(`input ${index} is missing`); // arity is checked before any call
  return value;
}

/** An axis counted from the front; calls `fail` when it is outside the rank. `slots` is rank + 1 for Flatten. */
export function resolveAxis(axis: number, slots: number, rank: number, fail: (what: string) => never): number {
  const resolved = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(resolved) || resolved < 0 || resolved >= slots) {
    return fail(`axis ${axis} is outside a tensor of rank ${rank}`);
  }
  return resolved;
}

/** The float array of a tensor that a computation reads; calls `fail` for other types. */
export function floatData(value: HostTensor, fail: (what: string) => never): Float32Array | Float64Array {
  if (value.dtype === 'float32' || value.dtype === 'float64') return value.data as Float32Array | Float64Array;
  return fail(`expected float32 or float64 values, received ${value.dtype}`);
}

/** Zeros of a float type and shape to write an output into. */
export function floatOutput(type: { dtype: DType; dims: readonly number[] }): HostTensor<'float32' | 'float64'> {
  const length = sizeOf(type.dims);
  const data = type.dtype === 'float64' ? new Float64Array(length) : new Float32Array(length);
  return { dtype: type.dtype as 'float32' | 'float64', dims: type.dims, data };
}

/** The numbers of an integer tensor (axes, shapes, pads); calls `fail` when one is beyond ±2^53. */
export function integersOf(value: HostTensor, what: string, fail: (what: string) => never): number[] {
  if (value.dtype !== 'int64' && value.dtype !== 'int32') fail(`expected ${what} as int64, received ${value.dtype}`);
  const numbers = Array.from(value.data as BigInt64Array, Number);
  if (!numbers.every(Number.isSafeInteger)) fail(`${what} [${numbers}] are too large`);
  return numbers;
}

/** Checks that an input has a rank in [min, max] and returns its shape. */
export function dimsOf(call: ShapeCall, index: number, what: string, min: number, max = min): readonly Dim[] {
  const { dims } = required(call.inputs, index);
  if (dims.length < min || dims.length > max) {
    const expected = min === max ? `rank ${min}` : `rank ${min} to ${max}`;
    call.fail(`expected ${what} of ${expected}, received ${formatShape(dims)}`);
  }
  return dims;
}

/** How many numbers an input of shape, axes, … holds, where the numbers themselves are not known. */
export function lengthOf(call: ShapeCall, index: number, what: string): number {
  const { dims } = required(call.inputs, index);
  const [length] = dims;
  if (dims.length === 1 && typeof length === 'number' && length <= MAX_RANK) return length;
  return call.fail(`its ${what}, ${formatShape(dims)}, is computed at run time; expected a constant`);
}
