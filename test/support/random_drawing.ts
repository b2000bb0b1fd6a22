// A model under construction, and what is drawn for it: sizes, values, nodes. A seed gives the same on every machine.
import { sizeOf } from '../../lib/core/shape.js';
import { inferShapes } from '../../lib/graph/infer.js';
import { encodeModel } from '../../lib/graph/onnx/codec.js';
import { importModel } from '../../lib/graph/onnx/import.js';
import type { AttributeProto, ModelProto, NodeProto } from '../../lib/graph/onnx/messages.js';
import { AttributeType } from '../../lib/graph/onnx/schema.js';
import { dtypeToOnnx, tensorToProto } from '../../lib/graph/onnx/tensors.js';
import type { DType } from '../../lib/tensor/dtype.js';
import { floats, type HostTensor, integers } from '../../lib/tensor/host_tensor.js';
import { Random } from '../../lib/tensor/random.js';

/** A number of type float; plain numbers are integers. */
export const float = (f: number) => ({ f: Math.fround(f) });
export type Attribute =
  | number
  | string
  | readonly number[]
  | { readonly f: number }
  | { readonly floats: number[] }
  | HostTensor;

export interface Drawn {
  readonly name: string;
  readonly dims: readonly number[];
  readonly dtype: DType;
  /** The same to the last bit in every implementation: a step (Floor, ArgMax, ==) on it cannot fall either way. */
  readonly exact: boolean;
}

interface NodeOptions {
  readonly outputs?: number;
  /** Only moves or compares elements: exact where its inputs are. */
  readonly exact?: boolean;
}

/** A model and what to feed it. */
export interface RandomModel {
  readonly bytes: Uint8Array;
  readonly opset: number;
  readonly feeds: Readonly<Record<string, HostTensor>>;
  readonly operators: readonly string[];
}

const SPECIALS = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -0, 0.5, -1.5];

export class Drawing {
  readonly random: Random;
  readonly opset: number;
  readonly values: Drawn[] = [];
  private readonly feeds: Record<string, HostTensor> = {};
  private readonly nodes: NodeProto[] = [];
  private readonly initializers = new Map<string, HostTensor>();
  private readonly special: boolean;
  private count = 0;

  constructor(seed: number, opset?: number) {
    this.random = new Random(seed);
    this.opset = opset ?? this.integer(7, 23);
    this.special = this.chance(0.2);
  }

  /** Both ends included. */
  integer(low: number, high: number): number {
    return low + this.random.integer(high - low + 1);
  }

  chance(probability: number): boolean {
    return this.random.uniform() < probability;
  }

  choice<Item>(items: readonly Item[]): Item {
    return items[this.random.integer(items.length)] as Item;
  }

  size(): number {
    if (this.chance(0.01)) return 0;
    return this.chance(0.03) ? this.integer(17, 40) : this.choice([1, 1, 2, 3, 4, 5, 6, 7, 8]);
  }

  shape(rank = this.integer(0, 4)): number[] {
    const dims = Array.from({ length: rank }, () => this.size());
    return sizeOf(dims) > 20_000 ? dims.map((size) => Math.min(size, 5)) : dims;
  }

  list(length: number, low: number, high: number): number[] {
    return Array.from({ length }, () => this.integer(low, high));
  }

  permutation(length: number): number[] {
    const order = Array.from({ length }, (_, index) => index);
    for (let i = length - 1; i > 0; i--) {
      const j = this.random.integer(i + 1);
      [order[i], order[j]] = [order[j] as number, order[i] as number];
    }
    return order;
  }

  /** An axis, from either end. */
  axis(rank: number): number {
    const axis = this.random.integer(rank);
    return this.chance(0.4) ? axis - rank : axis;
  }

  /** Some axes, in any order; from the front where negative ones are not allowed. */
  axes(rank: number, negative = this.opset >= 11): number[] {
    const some = this.permutation(rank).slice(0, this.integer(rank > 0 ? 1 : 0, rank));
    return some.map((axis) => (negative && this.chance(0.3) ? axis - rank : axis));
  }

  numbers(dims: readonly number[], positive = false): HostTensor<'float32'> {
    const data = Float32Array.from({ length: sizeOf(dims) }, () => {
      if (this.special && !positive && this.chance(0.1)) return this.choice(SPECIALS);
      const x = 1.5 * this.random.normal();
      return positive ? Math.abs(x) + 0.25 : x;
    });
    return floats(dims, data);
  }

  /** Finite numbers: weights of windows, whose padding is not multiplied (0 · ∞ at a border). */
  plain(dims: readonly number[]): HostTensor<'float32'> {
    return floats(
      dims,
      Float32Array.from({ length: sizeOf(dims) }, () => this.random.normal()),
    );
  }

  /** A fed value of float32. */
  input(dims: readonly number[] = this.shape(), positive = false): Drawn {
    const name = `x${this.count++}`;
    this.feeds[name] = this.numbers(dims, positive);
    const value: Drawn = { name, dims, dtype: 'float32', exact: true };
    this.values.push(value);
    return value;
  }

  /** An earlier float32 value, or a new input. `exact`: see Drawn. */
  float(fits: (dims: readonly number[]) => boolean, make: () => readonly number[], exact = false): Drawn {
    const found = this.values.filter((each) => each.dtype === 'float32' && fits(each.dims) && (each.exact || !exact));
    return found.length > 0 && this.chance(0.8)
      ? (found.at(-1 - this.random.integer(Math.min(2, found.length))) as Drawn)
      : this.input(make());
  }

  any(exact = false): Drawn {
    return this.float(
      () => true,
      () => this.shape(),
      exact,
    );
  }

  /** Of at least this rank. */
  ranked(least: number, most = 5, exact = false): Drawn {
    return this.float(
      ({ length }) => length >= least && length <= most,
      () => this.shape(this.integer(least, Math.min(most, 4))),
      exact,
    );
  }

  /** [N, C, …] with places. */
  image(rank = this.choice([3, 4, 4, 4, 5]), exact = false): Drawn {
    const make = () => [this.integer(1, 2), this.integer(1, 6), ...this.list(rank - 2, 1, rank === 5 ? 5 : 9)];
    return this.float((dims) => dims.length === rank && !dims.includes(0), make, exact);
  }

  constant(tensor: HostTensor): string {
    const name = `c${this.count++}`;
    this.initializers.set(name, tensor);
    return name;
  }

  integers(values: readonly number[], dims?: readonly number[]): string {
    return this.constant(integers(values, dims));
  }

  /** A shape that broadcasts with this one. */
  partner(dims: readonly number[]): number[] {
    const kept = dims.slice(this.chance(0.3) ? this.random.integer(dims.length + 1) : 0);
    return kept.map((size) => (this.chance(0.2) ? 1 : size));
  }

  /** Adds a node; its outputs are values where they can be inferred. Undefined where the importer refuses it. */
  node(
    operator: string,
    inputs: readonly (Drawn | string)[],
    attributes: Readonly<Record<string, Attribute | undefined>> = {},
    { outputs = 1, exact = false }: NodeOptions = {},
  ): Drawn | undefined {
    const names = Array.from({ length: outputs }, () => `v${this.count++}`);
    const attribute = Object.entries(attributes).flatMap(([name, value]) =>
      value === undefined ? [] : [proto(name, value)],
    );
    const input = inputs.map((each) => (typeof each === 'string' ? each : each.name));
    this.nodes.push({ opType: operator, name: `${operator}${this.nodes.length}`, input, output: names, attribute });
    const same = exact && inputs.every((each) => typeof each === 'string' || each.exact);
    const { graph } = importModel(encodeModel(this.model([])));
    const types = inferShapes(graph);
    const made = names.map((name): Drawn => {
      const { dtype, dims } = types.get(name) as { dtype: DType; dims: number[] };
      return { name, dtype, dims, exact: same };
    });
    this.values.push(...made);
    return made[0];
  }

  private model(outputs: readonly string[]): ModelProto {
    const value = (name: string, dtype: DType, dims?: readonly number[]) => {
      const shape = dims && { dim: dims.map((dimValue) => ({ dimValue })) };
      return { name, type: { tensorType: { elemType: dtypeToOnnx(dtype), ...(shape ? { shape } : {}) } } };
    };
    const types = new Map(this.values.map(({ name, dtype }) => [name, dtype]));
    return {
      irVersion: 10,
      opsetImport: [{ domain: '', version: this.opset }],
      graph: {
        name: 'random',
        node: this.nodes,
        initializer: [...this.initializers].map(([name, tensor]) => tensorToProto(tensor, name)),
        input: Object.entries(this.feeds).map(([name, { dtype, dims }]) => value(name, dtype, dims)),
        output: outputs.map((name) => (types.has(name) ? value(name, types.get(name) as DType) : { name })),
      },
    };
  }

  /** Every value that no node reads is an output, and some that are read. */
  finish(): RandomModel {
    const read = new Set(this.nodes.flatMap(({ input }) => input ?? []));
    const made = this.values.filter(({ name }) => name.startsWith('v') && (!read.has(name) || this.chance(0.3)));
    const bytes = encodeModel(this.model(made.map(({ name }) => name)));
    return { bytes, opset: this.opset, feeds: this.feeds, operators: this.operators };
  }

  get operators(): string[] {
    return this.nodes.map(({ opType }) => opType as string);
  }

  /** The proto of the model so far, all last outputs. */
  unfinished(): Uint8Array {
    return encodeModel(this.model(this.nodes.at(-1)?.output ?? []));
  }
}

function proto(name: string, value: Attribute): AttributeProto {
  if (typeof value === 'number') return { name, i: value, type: AttributeType.INT };
  if (typeof value === 'string') return { name, s: new TextEncoder().encode(value), type: AttributeType.STRING };
  if ('f' in value) return { name, f: value.f, type: AttributeType.FLOAT };
  if ('floats' in value) return { name, floats: value.floats, type: AttributeType.FLOATS };
  if ('dtype' in value) return { name, t: tensorToProto(value, ''), type: AttributeType.TENSOR };
  return { name, ints: [...value], type: AttributeType.INTS };
}

export type Draw = (d: Drawing) => unknown;
