// Drawings of nodes with windows, products, normalization, and those that compute with shapes.
import { floats } from '../../lib/tensor/host_tensor.js';
import { type Attribute, type Draw, type Drawing, type Drawn, float } from './random_drawing.js';
import { toFloat } from './random_elements.js';

/**
 * `within`: no larger than the padded input, or by less than a stride where ceil_mode counts that. Larger ones are refused
 * here, as in PyTorch; onnxruntime refuses those of Conv, but its pools make 0 places of them or, by a stride, 1.
 */
function windowOf(d: Drawing, spatial: readonly number[], { dilations = true, ceil = false, within = true } = {}) {
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
  if (within && attributes.dilations && !auto.startsWith('SAME')) {
    const at = (name: string, index: number) => (attributes[name] as number[] | undefined)?.[index];
    attributes.dilations = kernel.map((size, i) => {
      const pads = (at('pads', i) ?? 0) + (at('pads', i + rank) ?? 0);
      const over = attributes.ceil_mode ? (at('strides', i) ?? 1) - 1 : 0;
      const dilation = at('dilations', i) as number;
      return (size - 1) * dilation < (spatial[i] as number) + pads + over ? dilation : 1;
    });
  }
  return { kernel, attributes };
}

/** Resize, of operator set 10 and from 11 on; also the older Upsample. */
function drawResize(d: Drawing, image: Drawn = d.image(4, true)): unknown {
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

/** Name, drawing, first operator set. */
export const PRODUCTS: readonly (readonly [string, Draw, number])[] = [
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
      const { kernel, attributes } = windowOf(d, x.dims.slice(2), { within: false });
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
