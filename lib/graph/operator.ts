// The definition of an operator: one object per ONNX operator (operators/*.ts) with its attributes, shape rule, cost, a
// plain reference forward and whether it can be quantized. All code that walks a graph uses these objects.
import type { ConvKernels } from '../autograd/ops/conv2d.js';
import type { Tape, Value } from '../autograd/tape.js';
import { LimitError, limitOf } from '../core/limits.js';
import { sizeOf } from '../core/shape.js';
import type { DType } from '../tensor/dtype.js';
import { type HostTensor, MAX_RANK } from '../tensor/host_tensor.js';
import type { Random } from '../tensor/random.js';
import { type Dim, formatShape, sizePerSample } from './dims.js';
import { GraphError } from './errors.js';
import type { ChannelRule, DeviceUse, FusedWork, Fusion, ProductFacts, Samplewise, Upgrade } from './facts.js';
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
  /** Value of an absent attribute; undefined where the operator computes it. */
  readonly default: Value;
  /** It is the number of an element type. */
  readonly isType?: true;
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
/** The number of an element type. */
export const elementType = (): AttributeSpec<'int', undefined> => ({ kind: 'int', default: undefined, isType: true });
export const floatNumber = kind('float');
export const string = kind('string');
export const ints = kind('ints');
export const floatList = kind('floats');
export const strings = kind('strings');
export const tensor = kind('tensor');

/** First and last operator set in which an attribute or input exists; absent: from 13 on, without end. */
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

/** Those of a node of any operator. */
export type NodeAttributes = Attributes<AttributeTable>;

/** One use of an operator, for its shape rule. */
export interface ShapeCall<Table extends AttributeTable = AttributeTable> {
  readonly attributes: Attributes<Table>;
  /** undefined where an optional input is left out. */
  readonly inputs: readonly (TensorType | undefined)[];
  /** Number of outputs: trailing optional ones may be left out. */
  readonly outputCount: number;
  /** The value of an input where it is known: always at run time, for constants during inference. */
  constant(index: number): HostTensor | undefined;
  /** Throws GraphError, naming the node. */
  fail(what: string): never;
}

/** One use of an operator with its values. */
export interface ForwardCall<Table extends AttributeTable = AttributeTable> {
  readonly attributes: Attributes<Table>;
  readonly inputs: readonly (HostTensor | undefined)[];
  /** Result of the shape rule, every dimension a number. */
  readonly outputs: readonly { readonly dtype: DType; readonly dims: readonly number[] }[];
  fail(what: string): never;
}

/** Kept between the uses of a node on the tape: convolutions made for its shapes. */
export interface NodeState {
  readonly convolutions: ConvKernels;
  /** The node's stream of random numbers: it depends on the seed, the node's name and the step alone. */
  random(): Random;
}

/** One use of an operator on the tape. Values are float32, row-major or channels-last. */
export interface FloatCall<Table extends AttributeTable = AttributeTable> {
  readonly tape: Tape;
  readonly attributes: Attributes<Table>;
  /** undefined where an input is left out or not float32. */
  readonly inputs: readonly (Value | undefined)[];
  /** Which output to compute: 0 but for operators with `eachOutput`. */
  readonly output: number;
  /** How many outputs the node names. */
  readonly outputCount: number;
  /** The type and shape of that output. */
  readonly dtype: DType;
  readonly dims: readonly number[];
  /** With `fuses` 'relu': a ReLU is applied to the result. */
  readonly relu: boolean;
  /** With `fuses` 'clip': the result is clipped to these bounds; a ReLU is one. */
  readonly clip: readonly [number, number] | undefined;
  /** With `fuses` 'addition': to be added to the result, before the ReLU. */
  readonly residual: Value | undefined;
  /** The residual is not read after this node. */
  readonly residualEnds: boolean;
  readonly state: NodeState;
  /** The value of an input that is computed off the tape: shapes, axes, indices, scalars. */
  host(index: number): HostTensor | undefined;
  fail(what: string): never;
}

export interface Operator<Table extends AttributeTable = AttributeTable> {
  readonly name: string;
  /** First operator set that has it, where that is after 13. */
  readonly since?: number;
  /** Attributes by name and inputs by number that not every operator set from 13 to 26 has. */
  readonly spans?: Readonly<Record<string | number, Span>>;
  readonly attributes: Table;
  /** Fewest and most inputs and outputs. */
  readonly inputs: readonly [number, number];
  readonly outputs: readonly [number, number];
  /** Inputs that are settings or measured statistics, which training does not learn. */
  readonly settings: readonly number[] | 'none';
  /** Those of them that are measured. */
  readonly statistics: readonly number[] | 'none';
  /** The input whose value is the output's shape, one dimension of it −1 where it follows from the others. */
  readonly openShape: number | 'none';
  /**
   * What it makes of a network's output where it is the last: a probability of one class, a choice among the values of
   * its input, or the same values in another form.
   */
  readonly readout?: 'probability' | 'choice' | 'same';
  /** The node computes as in training: its results are random, or depend on which samples are computed together. */
  readonly trains?: (attributes: Attributes<Table>, constant: (index: number) => HostTensor | undefined) => boolean;
  /** Why the result of constants is not computed beforehand: it is random, or its cost has no bound. */
  readonly unfoldable: 'random' | 'costly' | 'none';
  /** The operators of sets before 13 that became this one, where nodes changed. */
  readonly upgrades: Readonly<Record<string, Upgrade>> | 'none';
  readonly product: ProductFacts<Attributes<Table>> | 'none';
  /** Following nodes that `float` can fuse. */
  readonly fuses: readonly FusedWork[] | 'none';
  /** How a step before it may compute it. */
  readonly fusion: Fusion<Attributes<Table>> | 'none';
  readonly device: DeviceUse<Attributes<Table>> | 'none';
  readonly samples: Samplewise | ((attributes: Attributes<Table>) => Samplewise);
  /** Its effect on the scale of channels; unknown: its inputs must keep their scale. */
  readonly channels: ChannelRule<Attributes<Table>> | 'unknown';
  /** Detail of one use in a summary: "3x3/2 g16". */
  readonly detail: Detail<Table> | 'none';
  /** Types and shapes of the outputs; at least `outputCount` of them. Calls `fail` on unsupported inputs. */
  shape(call: ShapeCall<Table>): TensorType[];
  /** Multiply-accumulates of one use; named dimensions count as one. */
  readonly macs: Macs<Table> | 'none';
  /**
   * The outputs' values where they follow from the types of the inputs (Shape); undefined where a
   * dimension has no number.
   */
  readonly fromTypes: FromTypes<Table> | 'none';
  /**
   * The same on the tape, by native operations that keep their backward beside their forward; the first output.
   * Undefined: not for this use; then, and without `float`, the reference computes it.
   */
  readonly float: ((call: FloatCall<Table>) => Value | undefined) | 'none';
  /** `float` computes any of its outputs separately. */
  readonly eachOutput?: true;
  /** The reference: plain loops over float32 or float64 (sums in float64), checked against ONNX's own tests. */
  forward(call: ForwardCall<Table>): HostTensor[];
}

type Inputs = readonly (TensorType | undefined)[];
type Macs<Table extends AttributeTable> = (attributes: Attributes<Table>, inputs: Inputs, output: TensorType) => number;
type FromTypes<Table extends AttributeTable> = (
  attributes: Attributes<Table>,
  inputs: Inputs,
) => HostTensor | undefined;
type Detail<Table extends AttributeTable> = (attributes: Attributes<Table>, inputs: Inputs) => string;

/** Questions about an operator that may have this answer. */
type AnsweredBy<Word extends string> = {
  [Key in keyof Operator]-?: Word extends Operator[Key] ? (string extends Operator[Key] ? never : Key) : never;
}[keyof Operator];
type Said<Asked extends string, Word> = { readonly [Key in Asked]: Word };

const say = <Asked extends string, Word>(questions: readonly Asked[], word: Word) =>
  Object.fromEntries(questions.map((question) => [question, word])) as Said<Asked, Word>;

/** "none" to each of these questions: an operator answers every question, in its file. */
export function none<Asked extends AnsweredBy<'none'>>(...questions: Asked[]): Said<Asked, 'none'> {
  return say(questions, 'none');
}

/** "unknown" to each of these questions. */
export function unknown<Asked extends AnsweredBy<'unknown'>>(...questions: Asked[]): Said<Asked, 'unknown'> {
  return say(questions, 'unknown');
}

/** Answers of a member of a family of operators that differ from the family's. */
export type FamilyAnswers = Partial<Pick<Operator, AnsweredBy<'none'> | AnsweredBy<'unknown'>>>;

/** Lets TypeScript read the attribute table off the object. */
export function defineOperator<Table extends AttributeTable>(operator: Operator<Table>): Operator {
  return operator as unknown as Operator;
}

/** Why nodes that compute as in training are refused. */
export const TRAINING_MODE =
  'expected inference, received training mode: its results are random or depend on the other samples of a batch ' +
  '(export the model in evaluation mode, in PyTorch after model.eval())';

const MAX_INPUTS = 65536;
/** For operators of any number of inputs. */
export const VARIADIC: readonly [number, number] = [1, MAX_INPUTS];
/** For operators of any number of outputs. */
export const MAX_OUTPUTS = 65536;
/** Elements of one value; a typed array holds no more. */
const MAX_ELEMENTS = 2 ** 32 - 1;

/** Attributes read before: nodes are immutable, and a run reads those of every node. */
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
  const outputCount = node.outputs.length;
  const attributes = attributesOf(operator, node);
  const types = ofNode(node, () => operator.shape({ attributes, inputs, outputCount, constant, fail }));
  for (const { dims } of types) {
    if (dims.length > MAX_RANK) fail(`its output would have ${dims.length} dimensions, more than ${MAX_RANK}`);
    const size = dims.reduce<number>((product, dim) => product * (typeof dim === 'number' ? dim : 1), 1);
    if (dims.some((dim) => typeof dim === 'number' && !(dim >= 0)) || !(size <= MAX_ELEMENTS)) {
      fail(`its output would have the shape ${formatShape(dims)}`);
    }
    const most = inputs.reduce((sum, type) => sum + (type ? sizePerSample(type.dims) : 0), 0);
    if (size > most && size > limitOf('grownElements')) {
      fail(new LimitError(`its output would have the shape ${formatShape(dims)}`, 'grownElements', size).message);
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
  const fail = (what: string): never => {
    throw new GraphError(describeNode(node), what);
  };
  const types = outputs as { dtype: DType; dims: readonly number[] }[];
  const attributes = attributesOf(operator, node);
  return ofNode(node, () => operator.forward({ attributes, inputs, outputs: types, fail }));
}

/** Multiply-accumulates of a node; named dimensions count as one. */
export function macsOf(
  operator: Operator,
  node: GraphNode,
  inputs: readonly (TensorType | undefined)[],
  output: TensorType,
): number {
  return operator.macs === 'none' ? 0 : operator.macs(attributesOf(operator, node), inputs, output);
}

/** Whether an input is a setting or a measured statistic, which training does not learn. */
export function isSetting({ settings }: Operator, input: number): boolean {
  return settings !== 'none' && settings.includes(input);
}

/** Becomes a GraphError of the node that lacks it. */
class MissingInput extends RangeError {
  constructor(index: number) {
    super(`expected input ${index}, received none`);
  }
}

/** What `compute` gives for a node; what it cannot allocate or misses is an error of the node. */
function ofNode<Result>(node: GraphNode, compute: () => Result): Result {
  try {
    return compute();
  } catch (error) {
    if (!(error instanceof RangeError) || error instanceof LimitError) throw error;
    const what =
      error instanceof MissingInput ? error.message : `expected values that fit in memory (${error.message})`;
    throw new GraphError(describeNode(node), what);
  }
}

/** An input that cannot be left out. */
export function required<Value>(inputs: readonly (Value | undefined)[], index: number): Value {
  const value = inputs[index];
  if (value === undefined) throw new MissingInput(index);
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
