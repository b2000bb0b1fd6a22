// Calls of the addon's exported functions as nobody makes them: valid arguments, of which one to three are replaced by
// boundary numbers, other types, and arrays that are too short, detached, shared, resized or one another. Every call
// returns or throws; that the process lives says that none is wrong. As a program: node raw_calls.js ADDON CALLS [SEED].
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { InvalidArgumentError } from '../../lib/core/errors.js';
import { Random } from '../../lib/tensor/random.js';

type Arguments = unknown[];
type Callable = (...args: Arguments) => unknown;
type Constructor = new (...args: Arguments) => Record<string, Callable>;

const floats = (length: number) => Float32Array.from({ length }, (_, i) => ((i * 7) % 13) - 6);
const ints = (...values: number[]) => Int32Array.from(values);
const bytes = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 37) % 256);

// n, h, w, c, strides, dilations, pads, kernel, outChannels, groups, outH, outW
const POOL = [1, 4, 4, 2, 2, 2, 1, 1, 0, 0, 0, 0, 2, 2, 2, 2, 2, 2];
const CONV = [2, 4, 4, 2, 1, 1, 1, 1, 1, 1, 1, 1, 3, 3, 3, 1];

const end = (out: number, units: number, channels: number): Arguments => [
  new Float32Array(out),
  8,
  false,
  floats(channels),
  floats(out),
  -1,
  1,
  new Float32Array(units),
  new Int32Array(units),
  false,
  undefined,
];

/** Constructors with arguments that they take, and the methods of what they make, [name, arguments]. */
const CLASSES: Readonly<Record<string, [() => Arguments, ...[string, () => Arguments][]]>> = {
  PackedWeights: [
    () => [floats(6), 2, 3, 8, false, 0, undefined, false],
    ['bytes', () => []],
    ['codes', () => []],
    ['scales', () => []],
    ['dispose', () => []],
  ],
  PackedConvWeights: [
    () => [floats(54), 3, 3, 3, 2, 1, 4, true, 0, undefined, false],
    ['bytes', () => []],
    ['codes', () => []],
    ['scales', () => []],
    ['dispose', () => []],
  ],
  IntegerOperand: [() => [bytes(12), ints(3), ints(1, 4, 3)], ['bytes', () => []], ['dispose', () => []]],
  ErrorProfile: [
    () => [floats(54), 3, 3, 3, 2, 1, 8, 0, false, 8, 0, 0, 1, false],
    ['add', () => [floats(64), ints(...CONV.slice(0, 12)), 'fuzz']],
    ['read', () => []],
    ['dispose', () => []],
  ],
  Convolution: [
    () => [ints(...CONV), 1],
    [
      'forward',
      () => [floats(64), floats(54), 1, floats(3), floats(96), 0, Number.POSITIVE_INFINITY, new Float32Array(96)],
    ],
    ['backwardData', () => [floats(96), floats(54), 1, false, new Float32Array(64)]],
    ['backwardWeights', () => [floats(64), floats(96), new Float32Array(54), new Float32Array(3)]],
  ],
  BatchFiller: [
    () => [],
    ['start', () => [2, 2, 2, 3, bytes(36), floats(768), ints(2, 0), ints(1, 0, -1, 0, 1, 0, 1, 0, 0, 0), 1]],
    ['wait', () => [new Float32Array(24)]],
  ],
};

/** Every other export. */
function functions(addon: Record<string, unknown>): Readonly<Record<string, () => Arguments>> {
  const make = (name: string, args = CLASSES[name]?.[0]() as Arguments) => new (addon[name] as Constructor)(...args);
  const matmulWeights = make('PackedWeights');
  const convWeights = make('PackedConvWeights');
  const matrices = make('IntegerOperand');
  const convOperand = make('IntegerOperand', [bytes(54), ints(3), ints(3, 2, 3, 3, 1)]);
  const norm = () => [floats(12), 4, 3, floats(3), floats(3), floats(3), floats(3), 1e-5, true];
  const view = [1, 2, 3, 1, false, false];
  const qmatmul = () => [bytes(8), 1, 2, ints(5), matrices, ints(0, 0, 0)];
  const qconv = () => [ints(...CONV), bytes(64), ints(5), convOperand];
  return {
    setErrorClass: () => [InvalidArgumentError],
    setThreads: () => [1],
    // No open file: a lock would be of the process that fuzzes.
    lockFile: () => [2 ** 30],
    threads: () => [],
    inspect: () => [],
    conv2dDynamic: () => [floats(64), ints(...CONV.slice(0, 12)), convWeights, ...end(96, 2, 3)],
    matmulDynamic: () => [floats(12), 4, matmulWeights, ...end(8, 4, 2)],
    matmulU8: () => [bytes(12), 4, matmulWeights, ints(1, 2, 3, 4), new Int32Array(8)],
    chooseQParams: () => [floats(6), ...view, 3, 8, false, false, new Float32Array(2), new Int32Array(2)],
    quantize: () => [floats(6), ...view, 3, floats(2), ints(1, 2), 8, false, false, new Uint8Array(6)],
    quantizeLinear: () => [floats(6), ...view, 3, floats(2), ints(1, 2), 8, new Uint8Array(6)],
    dequantize: () => [bytes(6), ...view, floats(2), ints(1, 2), new Float32Array(6)],
    matMulInteger: () => [...qmatmul(), new Int32Array(6)],
    qLinearMatMul: () => [...qmatmul(), floats(1), floats(3), floats(1), ints(3), new Uint8Array(6)],
    convInteger: () => [...qconv(), new Int32Array(96)],
    qLinearConv: () => [...qconv(), floats(1), floats(3), floats(1), ints(3), ints(1, 2, 3), new Uint8Array(96)],
    unary: () => [1, 0, 1, floats(9), new Float32Array(9)],
    unaryBackward: () => [1, 0, 1, floats(9), floats(9), floats(9), new Float32Array(9)],
    binary: () => [0, ints(2, 2, 3, 3, 1, 0, 1), floats(6), floats(3), new Float32Array(6)],
    reduceSum: () => [ints(2, 2, 3, 0, 1, 0, 0), 1, floats(6), new Float32Array(3)],
    copyStrided: () => [ints(2, 2, 3, 3, 1, 1, 2), floats(6), 0, new Float32Array(8), 1, false],
    addScaled: () => [2, floats(5), floats(5)],
    firstNonFinite: () => [floats(5)],
    gather: () => [2, 3, 2, ints(2, 0), floats(12), new Float32Array(8)],
    gatherBackward: () => [2, 3, 2, ints(2, 0), floats(8), new Float32Array(12)],
    fakeQuantize: () => [floats(8), 2, 4, 2, false, 4, new Float32Array(8), new Float32Array(4), new Int32Array(8)],
    fakeQuantizeBackward: () => [
      floats(8),
      2,
      4,
      2,
      floats(8),
      floats(4),
      ints(0, 1, -1, 1, 0, 0, 0, -1),
      floats(8),
      new Float32Array(8),
    ],
    matmul: () => [floats(12), floats(6), floats(2), new Float32Array(8), 1, 4, 2, 3, false, false, false, false],
    batchStatistics: () => [floats(12), 4, 3, new Float32Array(3), new Float32Array(3)],
    batchNorm: () => [...norm(), floats(12), new Float32Array(12)],
    batchNormBackward: () => [...norm(), true, floats(12), floats(12), floats(12), floats(3), floats(3), floats(12)],
    maxPool: () => [ints(...POOL), floats(32), new Float32Array(8), new Int32Array(8)],
    maxPoolBackward: () => [ints(...POOL), ints(0, 1, 2, 3, 4, 5, 6, 15), floats(8), new Float32Array(32)],
    averagePool: () => [ints(...POOL), true, floats(32), new Float32Array(8)],
    averagePoolBackward: () => [ints(...POOL), true, floats(8), new Float32Array(32)],
    softmax: () => [4, 3, floats(12), new Float32Array(12)],
    softmaxBackward: () => [4, 3, floats(12), floats(12), new Float32Array(12)],
    layerNorm: () => [
      4,
      3,
      1e-5,
      floats(12),
      floats(3),
      floats(3),
      new Float32Array(12),
      new Float32Array(4),
      new Float32Array(4),
    ],
    layerNormBackward: () => [
      4,
      3,
      floats(12),
      floats(3),
      floats(4),
      floats(4),
      floats(12),
      floats(12),
      floats(3),
      floats(3),
    ],
    sampleStatistics: () => [2, 3, 2, floats(12), new Float32Array(16)],
    adaptiveAveragePool: () => [1, 4, 4, 2, 2, 2, floats(32), new Float32Array(8)],
    alignment: () => [bytes(8)],
    crossEntropy: () => [2, 3, floats(6), ints(0, 2), 0.1, new Float64Array(2), new Float32Array(6)],
    norm: () => [floats(9)],
    sgdStep: () => [floats(6), floats(6), floats(2), ints(2, 6), floats(6), 0.1, 0.9, true, 1],
    adamStep: () => [
      floats(6),
      floats(6),
      floats(2),
      ints(2, 6),
      floats(6),
      floats(6),
      0.1,
      0.9,
      0.99,
      1e-8,
      true,
      1,
      1,
    ],
    averageStep: () => [floats(6), floats(6), 0.9],
    corrupt: () => [0, Float64Array.of(0.1), 1, 8, 8, 3, 1, bytes(192), new Uint8Array(192)],
    attackRange: () => [0, floats(3), 2, floats(3), 1, 8, 8, 3, 1, floats(192), new Float32Array(192)],
  };
}

const NUMBERS = [
  -1,
  -0,
  0,
  1,
  2,
  3,
  0.5,
  16,
  255,
  65536,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 31 + 1,
  2 ** 32 - 1,
  2 ** 32,
  2 ** 32 + 1,
];
const HUGE = [
  2 ** 40,
  2 ** 53,
  2 ** 62,
  2 ** 64,
  -(2 ** 31),
  -(2 ** 53),
  1e308,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
];
const OTHERS = [
  undefined,
  null,
  true,
  'text',
  {},
  [],
  [1, 2],
  () => 0,
  1n,
  Symbol('s'),
  new ArrayBuffer(8),
  new DataView(new ArrayBuffer(8)),
];
const INTEGERS = [-(2 ** 31), -1, 0, 1, 2, 2 ** 16, 2 ** 24, 2 ** 30, 2 ** 31 - 1];
const ARRAYS = [
  Float32Array,
  Float64Array,
  Int32Array,
  Uint32Array,
  Int16Array,
  Uint16Array,
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  BigInt64Array,
];

type Typed = Float32Array;
const isTyped = (value: unknown): value is Typed => ArrayBuffer.isView(value) && !(value instanceof DataView);

function pick<T>(random: Random, list: readonly T[]): T {
  return list[random.integer(list.length)] as T;
}

/** The array, changed in a way that a caller can change it. */
function changed(random: Random, array: Typed, all: readonly unknown[]): unknown {
  const { length, BYTES_PER_ELEMENT: width } = array;
  const Type = array.constructor as unknown as new (buffer: ArrayBufferLike, offset?: number, length?: number) => Typed;
  const ways: (() => unknown)[] = [
    () => array.subarray(0, random.integer(length + 1)),
    () => new Type(new SharedArrayBuffer(length * width)),
    () => {
      structuredClone(array.buffer, { transfer: [array.buffer as ArrayBuffer] });
      return array;
    },
    () => {
      const most = { maxByteLength: 2 * length * width + 8 };
      const buffer = Reflect.construct(ArrayBuffer, [length * width, most]) as ArrayBuffer;
      const view = new Type(buffer);
      (buffer as ArrayBuffer & { resize(bytes: number): void }).resize(pick(random, [0, width, 2 * length * width]));
      return view;
    },
    () => new (pick(random, ARRAYS) as unknown as new (length: number) => Typed)(length),
    () => new Type(new ArrayBuffer(length * width + 2 * width), 2 * width - width, length),
    () => pick(random, all.filter(isTyped)),
    // Another view of the memory of another argument.
    () => {
      const { buffer } = pick(random, all.filter(isTyped));
      return new Type(buffer, 0, Math.floor(buffer.byteLength / width));
    },
  ];
  for (let i = 0; i < 3; i++) {
    ways.push(() => {
      const values =
        array instanceof Int32Array ? INTEGERS : [Number.NaN, Number.POSITIVE_INFINITY, -3e38, 1e-45, 0, 255];
      array[random.integer(length)] = pick(random, values);
      return array;
    });
  }
  return pick(random, ways)();
}

function mutated(random: Random, args: Arguments): Arguments {
  const all = args.slice();
  for (let i = 1 + random.integer(3); i > 0 && all.length > 0; i--) {
    const at = random.integer(all.length);
    const value = all[at];
    const other = random.integer(8);
    if (other === 0) all[at] = pick(random, OTHERS);
    else if (isTyped(value) && other > 1 && value.length > 0) all[at] = changed(random, value, args);
    else all[at] = pick(random, random.integer(2) ? NUMBERS : HUGE);
  }
  if (random.integer(32) === 0) all.length = random.integer(all.length + 1);
  return all;
}

/** Makes so many calls; how many of them returned and threw, and which exports were called. */
export function callRaw(addon: Record<string, unknown>, calls: number, seed = 1) {
  const random = new Random(seed);
  const plain = functions(addon);
  const names = [...Object.keys(plain), ...Object.keys(CLASSES)];
  const missing = Object.keys(addon).filter((name) => typeof addon[name] === 'function' && !names.includes(name));
  if (missing.length > 0) throw new Error(`raw calls: expected a case for every export, received none of ${missing}`);
  const counts = { returned: 0, threw: 0, thrown: new Set<string>() };
  const attempt = (call: () => unknown): unknown => {
    try {
      const result = call();
      counts.returned += 1;
      return result;
    } catch (error) {
      counts.threw += 1;
      if (error instanceof Error) counts.thrown.add(error.name);
      return undefined;
    }
  };
  const prepare = (args: Arguments) => (random.integer(16) === 0 ? args : mutated(random, args));
  while (counts.returned + counts.threw < calls) {
    const name = pick(random, names);
    const methods = CLASSES[name];
    if (!methods) {
      attempt(() => (addon[name] as Callable)(...prepare((plain[name] as () => Arguments)())));
      (addon.setErrorClass as Callable)(InvalidArgumentError);
      (addon.setThreads as Callable)(1 + random.integer(2));
      continue;
    }
    const [create, ...members] = methods;
    const Class = addon[name] as Constructor;
    const made = attempt(() => new Class(...(random.integer(2) ? create() : prepare(create()))));
    for (let i = 0; made && i < 4; i++) {
      const [member, args] = pick(random, members);
      attempt(() => (made as Record<string, Callable>)[member]?.(...prepare(args())));
    }
    // With another object for `this`.
    const [member, args] = pick(random, members);
    attempt(() =>
      (Class.prototype as Record<string, Callable>)[member]?.apply(pick(random, [{}, addon, made]), args()),
    );
  }
  return counts;
}

const [, file, path = '', calls = '1000', seed = '1'] = process.argv;
if (file === fileURLToPath(import.meta.url)) {
  const addon = createRequire(import.meta.url)(path) as Record<string, unknown>;
  (addon.setErrorClass as Callable)(InvalidArgumentError);
  const { returned, threw } = callRaw(addon, Number(calls), Number(seed));
  process.stdout.write(`${returned} returned, ${threw} threw\n`);
}
