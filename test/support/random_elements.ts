// Drawings of nodes that compute element by element, reduce or move elements.
import { sizeOf } from '../../lib/core/shape.js';
import { floats } from '../../lib/tensor/host_tensor.js';
import { type Draw, type Drawing, type Drawn, float } from './random_drawing.js';

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

export const toFloat = (d: Drawing, value: Drawn | undefined) =>
  value && d.node('Cast', [value], { to: 1 }, { exact: true });

/** Name, drawing, first operator set. */
export const ELEMENTS: readonly (readonly [string, Draw, number])[] = [
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
];
