// ONNX models drawn at random: a few nodes of any supported operators, attributes as exporters write them, in the forms of
// any operator set from 7 on. A seed gives the same model on every machine.
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
const float = (f: number) => ({ f: Math.fround(f) });
type Attribute =
  | number
  | string
  | readonly number[]
  | { readonly f: number }
  | { readonly floats: number[] }
  | HostTensor;

interface Drawn {
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

type Draw = (d: Drawing) => unknown;

const unary = (operator: string, { exact = false, steps = false, since = 7 } = {}): [string, Draw, number] => [
  operator,
  (d) => d.node(operator, [d.any(steps)], {}, { exact }),
  since,
];

const broadcasting = (operator: string, { steps = false } = {}): [string, Draw, number] => [
  operator,
  (d) => {
    const x = d.any(steps);
    const y = d.chance(0.5) ? d.constant(d.numbers(d.partner(x.dims))) : d.input(d.partner(x.dims));
    return d.node(operator, d.chance(0.5) ? [x, y] : [y, x]);
  },
  7,
];

const reduction = (operator: string, axesInput: number): [string, Draw, number] => [
  operator,
  (d) => {
    const x = d.ranked(d.opset < 18 ? 1 : 0);
    const axes = d.chance(0.2) ? undefined : d.axes(x.dims.length);
    const keepdims = d.chance(0.7) ? d.integer(0, 1) : undefined;
    if (d.opset < axesInput) return d.node(operator, [x], { axes: axes?.length ? axes : undefined, keepdims });
    const noop = d.chance(0.2) ? d.integer(0, 1) : undefined;
    return d.node(operator, axes?.length ? [x, d.integers(axes)] : [x], { keepdims, noop_with_empty_axes: noop });
  },
  7,
];

function windowOf(d: Drawing, spatial: readonly number[], { dilations = true, ceil = false } = {}) {
  const rank = spatial.length;
  const kernel = spatial.map((size) => d.integer(1, Math.min(4, Math.max(1, size))));
  const attributes: Record<string, Attribute | undefined> = { kernel_shape: kernel };
  if (d.chance(0.6)) attributes.strides = d.list(rank, 1, 3);
  if (dilations && d.chance(0.3)) attributes.dilations = d.list(rank, 1, 2);
  const auto = d.choice(['', '', '', 'NOTSET', 'SAME_UPPER', 'SAME_LOWER', 'VALID']);
  if (auto !== '') attributes.auto_pad = auto;
  if ((auto === '' || auto === 'NOTSET') && d.chance(0.6)) {
    const pads = kernel.map((size) => d.integer(0, Math.max(0, size - 1)));
    attributes.pads = [...pads, ...kernel.map((size) => d.integer(0, Math.max(0, size - 1)))];
  }
  if (ceil && d.chance(0.3)) attributes.ceil_mode = 1;
  return { kernel, attributes };
}

/** Resize, of operator set 10 and from 11 on; also the older Upsample. */
export function drawResize(d: Drawing, image: Drawn = d.image(4, true)): unknown {
  const { dims } = image;
  const target = () => (d.chance(0.2) ? d.integer(1, 64) : d.integer(1, 16));
  const up = dims.map((_, axis) => (axis < 2 && d.chance(0.8) ? 1 : Math.fround(target() / d.integer(1, 9) + 1)));
  const scales = dims.map((size, axis) => {
    if (axis < 2) return 1;
    const scale = d.chance(0.5) ? d.integer(1, 12) / d.integer(1, 12) : target() / size;
    return Math.fround(Math.max(scale, 1.01 / size));
  });
  if (d.opset < 10) {
    const mode = d.choice(['nearest', 'linear']);
    const factors = up.map((scale, axis) => (axis < 2 ? 1 : scale));
    if (d.opset < 9)
      return d.node('Upsample', [image], { mode, scales: { floats: factors } }, { exact: mode === 'nearest' });
    return d.node('Upsample', [image, d.constant(floats([4], factors))], { mode }, { exact: mode === 'nearest' });
  }
  const mode = d.choice(d.opset < 11 ? ['nearest', 'linear'] : ['nearest', 'nearest', 'linear', 'cubic']);
  if (d.opset < 11) return d.node('Resize', [image, d.constant(floats([4], scales))], { mode });
  const attributes: Record<string, Attribute | undefined> = {
    mode,
    coordinate_transformation_mode: d.choice([
      ...['half_pixel', 'half_pixel', 'pytorch_half_pixel', 'align_corners', 'asymmetric'],
      ...(d.opset >= 19 ? ['half_pixel_symmetric'] : []),
    ]),
  };
  if (mode === 'nearest')
    attributes.nearest_mode = d.choice(['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil']);
  if (mode === 'cubic' && d.chance(0.5)) attributes.cubic_coeff_a = float(d.choice([-0.5, -0.75, -0.3]));
  if (mode === 'cubic' && d.chance(0.3)) attributes.exclude_outside = 1;
  if (d.opset >= 18 && mode !== 'nearest' && d.chance(0.4)) attributes.antialias = 1;
  const axes = d.opset >= 18 && d.chance(0.3) ? [2, 3] : undefined;
  if (axes) attributes.axes = axes;
  const roi = d.opset < 13 ? d.constant(floats([0], [])) : '';
  if (d.chance(0.5)) {
    const sizes = dims.map((size, axis) => (axis < 2 ? size : target())).slice(axes ? 2 : 0);
    if (d.opset >= 18 && axes && d.chance(0.4))
      attributes.keep_aspect_ratio_policy = d.choice(['not_larger', 'not_smaller']);
    const empty = d.opset < 13 ? d.constant(floats([0], [])) : '';
    return d.node('Resize', [image, roi, empty, d.integers(sizes)], attributes, { exact: mode === 'nearest' });
  }
  const factors = axes ? scales.slice(2) : scales;
  return d.node('Resize', [image, roi, d.constant(floats([factors.length], factors))], attributes, {
    exact: mode === 'nearest',
  });
}

/** A condition, made by a comparison of exact values. */
function condition(d: Drawing): Drawn | undefined {
  const operator = d.choice([
    'Less',
    'Greater',
    ...(d.opset >= 11 ? ['Equal'] : []),
    ...(d.opset >= 12 ? ['LessOrEqual', 'GreaterOrEqual'] : []),
  ]);
  const x = d.any(true);
  return d.node(operator, [x, d.chance(0.3) ? x : d.constant(d.numbers(d.partner(x.dims)))], {}, { exact: true });
}

const toFloat = (d: Drawing, value: Drawn | undefined) => value && d.node('Cast', [value], { to: 1 }, { exact: true });

/** Name, drawing, first operator set. */
const KINDS: readonly (readonly [string, Draw, number])[] = [
  ...['Abs', 'Neg', 'Identity', 'Relu'].map((name) => unary(name, { exact: true })),
  ...['Cos', 'Sin', 'Exp', 'Sigmoid', 'Softplus', 'Softsign', 'Tanh'].map((name) => unary(name)),
  ...['Log', 'Reciprocal', 'Sqrt'].map((name) => unary(name, { steps: true })),
  ...['Ceil', 'Floor'].map((name) => unary(name, { steps: true, exact: true })),
  unary('Erf', { since: 9 }),
  unary('Sign', { steps: true, exact: true, since: 9 }),
  unary('Round', { steps: true, exact: true, since: 11 }),
  unary('HardSwish', { since: 14 }),
  unary('Mish', { since: 18 }),
  ['Elu', (d) => d.node('Elu', [d.any()], { alpha: d.chance(0.5) ? float(d.random.uniform(0.1, 2)) : undefined }), 7],
  [
    'LeakyRelu',
    (d) => d.node('LeakyRelu', [d.any()], { alpha: d.chance(0.5) ? float(d.random.uniform(-0.5, 1)) : undefined }),
    7,
  ],
  [
    'HardSigmoid',
    (d) => d.node('HardSigmoid', [d.any()], d.chance(0.5) ? { alpha: float(0.3), beta: float(0.4) } : {}),
    7,
  ],
  ['Gelu', (d) => d.node('Gelu', [d.any()], { approximate: d.choice(['none', 'tanh', undefined]) }), 20],
  ...['Add', 'Sub', 'Mul'].map((name) => broadcasting(name)),
  [
    'Div',
    (d) => {
      const x = d.any();
      return d.node('Div', [x, d.constant(d.numbers(d.partner(x.dims), d.chance(0.8)))]);
    },
    7,
  ],
  [
    'Pow',
    (d) => {
      const x = d.input(d.shape(), d.chance(0.7));
      return d.node('Pow', [
        x,
        d.constant(d.choice([floats([], [d.choice([0, 0.5, 1, 2, 3, -1, -2])]), d.numbers(d.partner(x.dims))])),
      ]);
    },
    7,
  ],
  [
    'PRelu',
    (d) => {
      const x = d.ranked(1);
      return d.node('PRelu', [
        x,
        d.constant(d.numbers(d.chance(0.5) ? x.dims.map((size, axis) => (axis === 1 ? size : 1)) : d.partner(x.dims))),
      ]);
    },
    7,
  ],
  [
    'Mod',
    (d) => {
      const x = d.any(true);
      return d.node('Mod', [x, d.constant(d.numbers(d.partner(x.dims)))], { fmod: 1 });
    },
    10,
  ],
  ...['Min', 'Max', 'Sum'].map((name): [string, Draw, number] => [
    name,
    (d) => {
      const x = d.any();
      const others = Array.from({ length: d.integer(0, 3) }, () => d.input(d.partner(x.dims)));
      return d.node(name, [x, ...others], {}, { exact: name !== 'Sum' });
    },
    8,
  ]),
  ['comparison', (d) => toFloat(d, condition(d)), 9],
  [
    'logic',
    (d) => {
      const [a, b] = [condition(d), condition(d)];
      if (!a || !b) return undefined;
      const not = d.node('Not', [a], {}, { exact: true });
      const same = a.dims.length === b.dims.length && a.dims.every((size, axis) => size === b.dims[axis]);
      return toFloat(d, not && d.node(d.choice(['And', 'Or', 'Xor']), [not, same ? b : a], {}, { exact: true }));
    },
    9,
  ],
  [
    'Where',
    (d) => {
      const test = condition(d);
      if (!test) return undefined;
      const branch = () =>
        d.chance(0.5) ? d.constant(d.numbers(d.partner(test.dims))) : d.input(d.partner(test.dims));
      return d.node('Where', [test, branch(), branch()], {}, { exact: true });
    },
    9,
  ],
  [
    'Clip',
    (d) => {
      const x = d.any();
      const [low, high] = [d.random.uniform(-2, 1), d.random.uniform(1, 3)];
      const has = d.choice([
        [true, true],
        [true, false],
        [false, true],
        [true, true],
      ]);
      if (d.opset < 11) {
        return d.node('Clip', [x], { min: has[0] ? float(low) : undefined, max: has[1] ? float(high) : undefined });
      }
      const bound = (there: boolean | undefined, value: number) =>
        there ? (d.chance(0.2) ? d.input([]) : d.constant(floats([], [value]))) : '';
      const bounds = [bound(has[0], low), bound(has[1], high)];
      return d.node('Clip', [x, ...(has[1] ? bounds : bounds.slice(0, 1))], {}, { exact: true });
    },
    7,
  ],
  [
    'Cast',
    (d) => {
      const x = d.input(d.shape());
      const whole = d.node(
        'Clip',
        d.opset < 11 ? [x] : [x, d.constant(floats([], [-100])), d.constant(floats([], [100]))],
        d.opset < 11 ? { min: float(-100), max: float(100) } : {},
        { exact: true },
      );
      if (!whole || d.finish().feeds[x.name]?.data.some((value) => Number.isNaN(value as number))) return undefined;
      return toFloat(d, d.node('Cast', [whole], { to: d.choice([6, 7, 9, 11]) }, { exact: true }));
    },
    9,
  ],
  ...['ArgMax', 'ArgMin'].map((name): [string, Draw, number] => [
    name,
    (d) => {
      const x = d.float(
        (dims) => dims.length > 0 && !dims.includes(0),
        () => d.list(d.integer(1, 4), 1, 7),
        true,
      );
      const axis = d.axis(x.dims.length);
      const last = d.opset >= 12 && d.chance(0.3) ? 1 : undefined;
      return toFloat(
        d,
        d.node(
          name,
          [x],
          {
            axis: d.opset < 11 ? Math.abs(axis) % x.dims.length : axis,
            keepdims: d.integer(0, 1),
            select_last_index: last,
          },
          { exact: true },
        ),
      );
    },
    9,
  ]),
  ...['ReduceL1', 'ReduceL2', 'ReduceMax', 'ReduceMean', 'ReduceMin', 'ReduceProd', 'ReduceSumSquare'].map((name) =>
    reduction(name, 18),
  ),
  reduction('ReduceSum', 13),
  ...['Softmax', 'LogSoftmax'].map((name): [string, Draw, number] => [
    name,
    (d) => {
      const x = d.ranked(1);
      const axis = d.axis(x.dims.length);
      return d.node(name, [x], {
        axis: d.chance(0.2) ? undefined : d.opset < 11 ? Math.abs(axis) % x.dims.length : axis,
      });
    },
    7,
  ]),
  [
    'Concat',
    (d) => {
      const x = d.ranked(1);
      const axis = d.axis(x.dims.length);
      const at = (axis + x.dims.length) % x.dims.length;
      const more = Array.from({ length: d.integer(0, 3) }, () =>
        d.input(x.dims.map((size, i) => (i === at ? d.size() : size))),
      );
      return d.node('Concat', [x, ...more], { axis: d.opset < 11 ? at : axis }, { exact: true });
    },
    7,
  ],
  [
    'Split',
    (d) => {
      const x = d.float(
        (dims) => dims.some((size) => size > 1),
        () => [4, 6, 3].slice(d.integer(0, 2)),
      );
      const at = x.dims.findIndex((size) => size > 1);
      const axis = d.opset >= 11 && d.chance(0.5) ? at - x.dims.length : at;
      const size = x.dims[at] as number;
      const first = d.integer(1, size - 1);
      const parts = [first, size - first];
      const outputs = 2;
      if (d.opset >= 18 && d.chance(0.4))
        return d.node('Split', [x], { axis, num_outputs: 2 }, { outputs, exact: true });
      if (size % 2 === 0 && d.chance(0.3) && d.opset < 18)
        return d.node('Split', [x], { axis }, { outputs, exact: true });
      return d.opset < 13
        ? d.node('Split', [x], { axis, split: parts }, { outputs, exact: true })
        : d.node('Split', [x, d.integers(parts)], { axis }, { outputs, exact: true });
    },
    7,
  ],
  [
    'Slice',
    (d) => {
      const x = d.ranked(1);
      const axes = d.axes(x.dims.length, d.opset >= 10);
      const steps = axes.map(() => (d.opset >= 10 ? d.choice([1, 1, 2, 3, -1, -2]) : 1));
      const place = (axis: number) => d.integer(-(x.dims.at(axis) as number) - 2, (x.dims.at(axis) as number) + 2);
      const [starts, ends] = [axes.map(place), axes.map((axis) => (d.chance(0.2) ? 2 ** 31 - 1 : place(axis)))];
      if (d.opset < 10) return d.node('Slice', [x], { starts, ends, axes }, { exact: true });
      const lists = [starts, ends, axes, ...(d.chance(0.6) || steps.some((step) => step < 0) ? [steps] : [])];
      return d.node('Slice', [x, ...lists.map((values) => d.integers(values))], {}, { exact: true });
    },
    7,
  ],
  [
    'Gather',
    (d) => {
      const x = d.float(
        (dims) => dims.length > 0 && !dims.includes(0),
        () => d.list(d.integer(1, 4), 1, 7),
      );
      const at = d.random.integer(x.dims.length);
      const size = x.dims[at] as number;
      const shape = d.list(d.integer(0, 2), 1, 4);
      const places = Array.from({ length: sizeOf(shape) }, () => d.integer(d.opset >= 11 ? -size : 0, size - 1));
      return d.node('Gather', [x, d.integers(places, shape)], { axis: at }, { exact: true });
    },
    7,
  ],
  [
    'Expand',
    (d) => {
      const x = d.any();
      const dims = [
        ...d.list(d.integer(0, 1), 1, 3),
        ...x.dims.map((size) => (size === 1 ? d.integer(1, 4) : d.chance(0.5) ? 1 : size)),
      ];
      return d.node('Expand', [x, d.integers(dims)], {}, { exact: true });
    },
    8,
  ],
  [
    'Tile',
    (d) => {
      const x = d.ranked(1);
      return d.node('Tile', [x, d.integers(x.dims.map(() => d.integer(1, 3)))], {}, { exact: true });
    },
    7,
  ],
  [
    'Pad',
    (d) => {
      const x = d.float(
        (dims) => dims.length > 0 && !dims.includes(0),
        () => d.list(d.integer(1, 4), 1, 7),
      );
      const mode = d.choice(['constant', 'constant', 'reflect', 'edge', ...(d.opset >= 19 ? ['wrap'] : [])]);
      const most = (size: number) => (mode === 'constant' || mode === 'edge' ? 3 : size - 1);
      const pads = [0, 1].flatMap(() =>
        x.dims.map((size) =>
          d.integer(mode === 'constant' && d.chance(0.1) ? -Math.min(1, Math.floor((size - 1) / 2)) : 0, most(size)),
        ),
      );
      const value = d.random.uniform(-1, 1);
      if (d.opset < 11) return d.node('Pad', [x], { mode, pads, value: float(value) }, { exact: true });
      const fill = mode === 'constant' && d.chance(0.5) ? [d.constant(floats([], [value]))] : [];
      return d.node('Pad', [x, d.integers(pads), ...fill], { mode }, { exact: true });
    },
    7,
  ],
  [
    'Transpose',
    (d) => {
      const x = d.ranked(1);
      return d.node('Transpose', [x], d.chance(0.2) ? {} : { perm: d.permutation(x.dims.length) }, { exact: true });
    },
    7,
  ],
  [
    'Reshape',
    (d) => {
      const x = d.float(
        (dims) => dims.length > 0 && !dims.includes(0),
        () => d.list(d.integer(1, 4), 1, 6),
      );
      const [first = 1, ...rest] = x.dims;
      const forms = [[0, -1], [sizeOf(x.dims)], [-1], [1, first, -1], [0, ...rest, 1], [-1, ...rest]];
      return d.node(
        'Reshape',
        [x, d.integers(d.choice(forms.slice(x.dims.length === 1 ? 1 : 0)))],
        {},
        { exact: true },
      );
    },
    7,
  ],
  [
    'Flatten',
    (d) => {
      const x = d.ranked(1);
      return d.node(
        'Flatten',
        [x],
        { axis: d.integer(d.opset >= 11 ? -x.dims.length : 0, x.dims.length) },
        { exact: true },
      );
    },
    7,
  ],
  [
    'Squeeze',
    (d) => {
      const x = d.float(
        (dims) => dims.includes(1),
        () => [1, d.size(), 1],
      );
      const ones = [...x.dims.keys()].filter((axis) => x.dims[axis] === 1);
      const axes = d.chance(0.2) ? undefined : [d.choice(ones)];
      if (d.opset < 13) return d.node('Squeeze', [x], { axes }, { exact: true });
      return d.node('Squeeze', axes ? [x, d.integers(axes)] : [x], {}, { exact: true });
    },
    7,
  ],
  [
    'Unsqueeze',
    (d) => {
      const x = d.ranked(0, 3);
      const axes = d.permutation(x.dims.length + 2).slice(0, 2);
      return d.opset < 13
        ? d.node('Unsqueeze', [x], { axes }, { exact: true })
        : d.node('Unsqueeze', [x, d.integers(axes)], {}, { exact: true });
    },
    7,
  ],
  [
    'DepthToSpace',
    (d) => {
      const block = d.integer(1, 3);
      const x = d.input([d.integer(1, 2), block * block * d.integer(1, 3), d.integer(1, 4), d.integer(1, 4)]);
      return d.node(
        'DepthToSpace',
        [x],
        { blocksize: block, mode: d.opset >= 11 ? d.choice(['DCR', 'CRD', undefined]) : undefined },
        { exact: true },
      );
    },
    7,
  ],
  [
    'SpaceToDepth',
    (d) => {
      const block = d.integer(1, 3);
      const x = d.input([d.integer(1, 2), d.integer(1, 3), block * d.integer(1, 4), block * d.integer(1, 4)]);
      return d.node('SpaceToDepth', [x], { blocksize: block }, { exact: true });
    },
    7,
  ],
  [
    'Trilu',
    (d) =>
      d.node(
        'Trilu',
        [d.ranked(2), ...(d.chance(0.5) ? [d.integers([d.integer(-3, 3)], [])] : [])],
        { upper: d.integer(0, 1) },
        { exact: true },
      ),
    14,
  ],
  [
    'ScatterND',
    (d) => {
      const x = d.input(d.list(d.integer(1, 3), 2, 5));
      const depth = d.integer(1, x.dims.length);
      const count = d.integer(1, 2);
      const first = d.permutation(x.dims[0] as number);
      const places = Array.from({ length: count }, (_, i) =>
        x.dims.slice(0, depth).map((size, axis) => (axis === 0 ? (first[i] as number) : d.random.integer(size))),
      );
      const updates = d.constant(d.numbers([count, ...x.dims.slice(depth)]));
      const reduction =
        d.opset >= 16
          ? d.choice([undefined, 'none', 'add', 'mul', ...(d.opset >= 18 ? ['max', 'min'] : [])])
          : undefined;
      return d.node('ScatterND', [x, d.integers(places.flat(), [count, depth]), updates], { reduction });
    },
    11,
  ],
  [
    'Conv',
    (d) => {
      const x = d.image();
      const channels = x.dims[1] as number;
      const groups = d.chance(0.3) ? channels : 1;
      const out = groups * d.integer(1, 3);
      const { kernel, attributes } = windowOf(d, x.dims.slice(2));
      const bias = d.chance(0.5) ? [d.constant(d.numbers([out]))] : [];
      return d.node('Conv', [x, d.constant(d.plain([out, channels / groups, ...kernel])), ...bias], {
        ...attributes,
        kernel_shape: d.chance(0.5) ? kernel : undefined,
        group: groups === 1 ? undefined : groups,
      });
    },
    7,
  ],
  [
    'ConvTranspose',
    (d) => {
      const x = d.image(d.choice([3, 4, 4]));
      const channels = x.dims[1] as number;
      const groups = d.chance(0.2) ? channels : 1;
      const out = d.integer(1, 3);
      const { kernel, attributes } = windowOf(d, x.dims.slice(2));
      if (String(attributes.auto_pad).startsWith('SAME')) attributes.auto_pad = undefined;
      const strides = attributes.strides as number[] | undefined;
      if (strides && d.chance(0.3)) attributes.output_padding = strides.map((stride) => d.integer(0, stride - 1));
      const bias = d.chance(0.5) ? [d.constant(d.numbers([out * groups]))] : [];
      return d.node('ConvTranspose', [x, d.constant(d.plain([channels, out, ...kernel])), ...bias], {
        ...attributes,
        group: groups === 1 ? undefined : groups,
      });
    },
    7,
  ],
  [
    'MaxPool',
    (d) => {
      const x = d.image();
      const { attributes } = windowOf(d, x.dims.slice(2), { dilations: d.opset >= 10, ceil: d.opset >= 10 });
      const outputs = d.opset >= 8 && x.exact && d.chance(0.2) ? 2 : 1;
      return d.node(
        'MaxPool',
        [x],
        { ...attributes, storage_order: outputs === 2 && d.chance(0.3) ? 1 : undefined },
        { exact: true, outputs },
      );
    },
    7,
  ],
  [
    'AveragePool',
    (d) => {
      const x = d.image();
      const { attributes } = windowOf(d, x.dims.slice(2), { dilations: d.opset >= 19, ceil: d.opset >= 10 });
      return d.node('AveragePool', [x], { ...attributes, count_include_pad: d.chance(0.4) ? 1 : undefined });
    },
    7,
  ],
  ...['GlobalAveragePool', 'GlobalMaxPool'].map((name): [string, Draw, number] => [
    name,
    (d) => d.node(name, [d.image()], {}, { exact: name === 'GlobalMaxPool' }),
    7,
  ]),
  [
    'LRN',
    (d) =>
      d.node('LRN', [d.image(4)], {
        size: d.choice([1, 3, 5]),
        alpha: float(d.choice([1e-4, 0.1])),
        bias: d.chance(0.5) ? float(2) : undefined,
        beta: d.chance(0.5) ? float(0.5) : undefined,
      }),
    7,
  ],
  [
    'BatchNormalization',
    (d) => {
      const x = d.image(d.choice([3, 4, 5]));
      const each = (positive: boolean) =>
        d.constant(positive ? d.numbers([x.dims[1] as number], true) : d.plain([x.dims[1] as number]));
      return d.node('BatchNormalization', [x, each(false), each(false), each(false), each(true)], {
        epsilon: d.chance(0.5) ? float(1e-3) : undefined,
      });
    },
    7,
  ],
  [
    'InstanceNormalization',
    (d) => {
      const x = d.image(d.choice([3, 4]), true);
      const each = () => d.constant(d.plain([x.dims[1] as number]));
      return d.node('InstanceNormalization', [x, each(), each()], { epsilon: d.chance(0.5) ? float(1e-2) : undefined });
    },
    7,
  ],
  [
    'LayerNormalization',
    (d) => {
      const x = d.float(
        (dims) => dims.length > 0 && !dims.includes(0),
        () => d.list(d.integer(1, 4), 2, 7),
        true,
      );
      const axis = d.axis(x.dims.length);
      const dims = x.dims.slice(axis < 0 ? axis + x.dims.length : axis);
      return d.node(
        'LayerNormalization',
        [x, d.constant(d.numbers(dims)), ...(d.chance(0.5) ? [d.constant(d.numbers(dims))] : [])],
        { axis, epsilon: float(1e-2) },
      );
    },
    17,
  ],
  [
    'MatMul',
    (d) => {
      const x = d.ranked(1, 4);
      const k = x.dims.at(-1) as number;
      const form = d.integer(0, 3);
      const batch = d.partner(x.dims.slice(0, -2));
      const dims = form === 0 ? [k] : form === 3 ? [...batch, k, d.integer(1, 5)] : [k, d.integer(1, 9)];
      return d.node('MatMul', [x, d.chance(0.6) ? d.constant(d.numbers(dims)) : d.input(dims)]);
    },
    7,
  ],
  [
    'Gemm',
    (d) => {
      const x = d.float(
        (dims) => dims.length === 2,
        () => d.shape(2),
      );
      const [transA, transB] = [d.integer(0, 1), d.integer(0, 1)];
      const [m, k] = (transA ? [...x.dims].reverse() : x.dims) as [number, number];
      const n = d.integer(1, 9);
      const c = d.choice([undefined, [n], [m, n], [1, n], [m, 1], [], [1]]);
      if (!c && d.opset < 11) return undefined;
      const more = c ? [d.constant(d.numbers(c))] : [];
      return d.node('Gemm', [x, d.constant(d.numbers(transB ? [n, k] : [k, n])), ...more], {
        transA,
        transB,
        alpha: d.chance(0.3) ? float(0.5) : undefined,
        beta: d.chance(0.3) ? float(1.5) : undefined,
      });
    },
    7,
  ],
  [
    'Einsum',
    (d) => {
      const sizes: Record<string, number> = {
        i: d.integer(1, 4),
        j: d.integer(1, 5),
        k: d.integer(1, 5),
        b: d.integer(1, 3),
        h: d.integer(1, 3),
      };
      const equation = d.choice([
        'ij,jk->ik',
        'bij,jk->bik',
        'bij,kj->bki',
        'bhij,bhkj->bhik',
        'bij,bij->b',
        'ij->ji',
        'bhi,hij->bhj',
        'bij,ijk->bk',
        'i,j->ij',
        'bij->bj',
        'bi,bj->bij',
        'bij,hj->bhi',
        'ij,jk',
        'bij,jhk->bihk',
        '...ij,jk->...ik',
        'bij,bjk,bk->bi',
      ]);
      const dims = (term: string) => [...term.replace('...', 'bh')].map((label) => sizes[label] as number);
      const [first = '', ...rest] = (equation.split('->')[0] as string).split(',');
      return d.node(
        'Einsum',
        [
          d.input(dims(first)),
          ...rest.map((term) => (d.chance(0.6) ? d.constant(d.numbers(dims(term))) : d.input(dims(term)))),
        ],
        { equation },
      );
    },
    12,
  ],
  [
    'Dropout',
    (d) =>
      d.node(
        'Dropout',
        d.opset >= 12 && d.chance(0.5) ? [d.any(), d.constant(floats([], [0.3]))] : [d.any()],
        { ratio: d.opset < 12 ? float(0.4) : undefined },
        { exact: true },
      ),
    7,
  ],
  ['Resize', (d) => drawResize(d), 7],
  [
    'Shape',
    (d) => {
      const x = d.ranked(1);
      const shape = d.node(
        'Shape',
        [x],
        d.opset >= 15 && d.chance(0.4) ? { start: d.integer(-2, 1), end: d.integer(1, 3) } : {},
        { exact: true },
      );
      return toFloat(d, shape);
    },
    9,
  ],
  ['Size', (d) => toFloat(d, d.node('Size', [d.any()], {}, { exact: true })), 9],
  [
    'ConstantOfShape',
    (d) =>
      d.node('ConstantOfShape', [d.integers(d.shape(2))], d.chance(0.5) ? { value: floats([1], [2.5]) } : {}, {
        exact: true,
      }),
    9,
  ],
  [
    'Range',
    (d) => {
      const step = d.choice([0.5, 1, 2, -1, 0.25]);
      const start = d.integer(-3, 3);
      return d.node(
        'Range',
        [start, start + step * d.integer(0, 9), step].map((value) => d.constant(floats([], [value]))),
        {},
        { exact: true },
      );
    },
    11,
  ],
];

/** The names of everything that is drawn. */
export const DRAWN: readonly string[] = KINDS.map(([name]) => name);

/** A model of a few nodes. `kind`: the first is of this kind. Throws what the importer throws, `model` beside it. */
export function randomModel(
  seed: number,
  kind?: string,
): RandomModel | { readonly refused: Error; readonly bytes: Uint8Array; readonly drawing: Drawing } {
  const chosen = kind === undefined ? undefined : KINDS.find(([name]) => name === kind);
  const drawing = new Drawing(seed);
  const possible = KINDS.filter(([, , since]) => since <= drawing.opset);
  try {
    const length = drawing.integer(1, 4);
    for (let i = 0; i < length; i++) {
      const [, draw] = i === 0 && chosen && chosen[2] <= drawing.opset ? chosen : drawing.choice(possible);
      draw(drawing);
    }
  } catch (error) {
    return { refused: error as Error, bytes: drawing.unfinished(), drawing };
  }
  return drawing.finish();
}
