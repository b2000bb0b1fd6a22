// The fake-quantizing interpreter against the integer one, layer by layer, and several passes on one tape.
import assert from 'node:assert/strict';
import { Tape, type Value } from '../../../../lib/autograd/tape.js';
import { sizeOf } from '../../../../lib/core/shape.js';
import { parseScheme, schemeOf } from '../../../../lib/format/scheme.js';
import { GraphBuilder } from '../../../../lib/graph/builder.js';
import type { Graph, GraphNode } from '../../../../lib/graph/graph.js';
import { Parameters } from '../../../../lib/graph/parameters.js';
import { buildModel } from '../../../../lib/models/index.js';
import { type Policy, uniformPolicy } from '../../../../lib/policy/policy.js';
import { fakeQuant, type Operands } from '../../../../lib/runtime/backends/fake_quant.js';
import { runFloat } from '../../../../lib/runtime/backends/float.js';
import { integer, type ProductRecord } from '../../../../lib/runtime/backends/integer.js';
import { activationBits, type SchemeChooser } from '../../../../lib/runtime/product_scheme.js';
import { compile } from '../../../../lib/runtime/program.js';
import { floats, type HostTensor } from '../../../../lib/tensor/host_tensor.js';
import { Memory } from '../../../../lib/tensor/memory.js';
import { Random } from '../../../../lib/tensor/random.js';
import { randomTensor } from '../../../support/onnxruntime.js';
import { quantizeActivation } from '../../../support/product_reference.js';
import { CASES, type Feeds, gemms, images, mixed, recorder } from '../../../support/quantized_networks.js';

/** Half the distance of 1 to the next float. */
const ROUNDING = 2 ** -24;

const recording = () => new Tape({ memory: new Memory(), training: true, record: true });

/** A graph of one node: what it reads and no initializer holds comes from outside. */
function alone(graph: Graph, node: GraphNode, values: ReadonlyMap<string, HostTensor>): { graph: Graph; feeds: Feeds } {
  const outside = [...new Set(node.inputs)].filter((name) => name !== '' && !graph.initializers.has(name));
  const feeds = Object.fromEntries(outside.map((name) => [name, values.get(name) as HostTensor]));
  const inputs = outside.map((name) => ({ name, dtype: 'float32', dims: feeds[name]?.dims ?? [] }) as const);
  const initializers = new Map([...graph.initializers].filter(([name]) => node.inputs.includes(name)));
  const outputs = graph.outputs.slice(0, 1).map((output) => ({ dtype: output.dtype, name: node.outputs[0] as string }));
  return { graph: graph.with({ nodes: [node], inputs, outputs, initializers }), feeds };
}

/** Row-major elements of a value. */
function rowMajor({ dims, layout, data }: Pick<Value, 'dims' | 'layout' | 'data'>): Float32Array {
  if (layout === 'rows') return data.slice(0, sizeOf(dims));
  const [n = 1, c = 1, h = 1, w = 1] = dims;
  const result = new Float32Array(n * c * h * w);
  for (let image = 0; image < n; image++) {
    for (let channel = 0; channel < c; channel++) {
      for (let pixel = 0; pixel < h * w; pixel++) {
        result[(image * c + channel) * h * w + pixel] = data[(image * h * w + pixel) * c + channel] as number;
      }
    }
  }
  return result;
}

/** What a record's codes stand for: activations as they lie in memory, weights in the kernel's order. */
function dequantized(record: ProductRecord, bitsOf: (row: number, rows: number) => number, perTensor: boolean) {
  const rows = perTensor ? 1 : record.scale.length;
  const size = record.x.size / rows;
  const x = new Float32Array(record.x.size);
  for (let row = 0; row < rows; row++) {
    const part = record.x.data.subarray(row * size, (row + 1) * size);
    const { codes, scale, zeroPoint } = quantizeActivation(part, bitsOf(row, rows));
    assert.equal(scale, record.scale[row]);
    assert.equal(zeroPoint, record.zeroPoint[row]);
    codes.forEach((code, i) => {
      x[row * size + i] = scale * (code - zeroPoint);
    });
  }
  const codes = record.weights.codes();
  const scales = record.weights.scales();
  const channels = 'shape' in record.weights ? record.weights.shape[0] : record.weights.n;
  const k = codes.length / channels;
  const { granularity } = record.weights;
  const block = granularity.kind === 'perGroup' ? granularity.blockSize : k;
  const scaleOf = (channel: number, at: number) =>
    granularity.kind === 'perTensor' ? scales[0] : scales[Math.floor(at / block) * channels + channel];
  const w = Float32Array.from(codes, (code, i) => code * (scaleOf(Math.floor(i / k), i % k) as number));
  return { x, w, k };
}

/** A weight that a node reads, in the order of the kernel: [n, k], or [M, kernelH, kernelW, C]. */
function kernelOrder(node: GraphNode, { dims, data }: Value): Float32Array {
  if (node.operator === 'Conv') {
    const [m = 1, c = 1, h = 1, w = 1] = dims;
    return Float32Array.from({ length: data.length }, (_, i) => {
      const [channel, pixel, out] = [i % c, Math.floor(i / c) % (h * w), Math.floor(i / c / h / w)];
      assert.ok(out < m);
      return data[(out * c + channel) * h * w + pixel] as number;
    });
  }
  if (node.attributes.transB === 1) return data.slice();
  const [k, n] = dims.length === 1 ? [dims[0] as number, 1] : (dims.slice(-2) as [number, number]);
  return Float32Array.from({ length: data.length }, (_, i) => data[(i % k) * n + Math.floor(i / k)] as number);
}

const bare = (values: Iterable<readonly [string, Pick<Value, 'dims' | 'layout' | 'data'>]>) =>
  new Map([...values].map(([name, value]) => [name, floats(value.dims, rowMajor(value))]));

/** deepEqual takes seconds for what a network computes. */
function assertSame(actual: Float32Array, expected: Float32Array, what: string): void {
  const at = actual.findIndex((value, i) => value !== expected[i]);
  assert.ok(actual.length === expected.length && at < 0, `${what}[${at}]: ${actual[at]}, expected ${expected[at]}`);
}

/**
 * Runs the integer plan, then each of its products again by fake quantization of the same input. Codes are equal; outputs
 * differ by rounding only. With products of length k the float sum errs by k roundings of Σ |x · w|, both factors by one
 * each, the integer way back by three (its scale's product, the multiplication, the bias).
 */
function checkLayers(graph: Graph, feeds: Feeds, policy: Policy | SchemeChooser): number {
  const integers = compile(graph, integer(), { keep: 'all' });
  const records: ProductRecord[] = [];
  const values = bare(integers.run(feeds, { bits: policy, inspect: recorder(records) }));
  for (const [name, { dtype, dims, data }] of Object.entries(feeds)) {
    if (dtype === 'float32') values.set(name, floats(dims, data as Float32Array));
  }
  const choose = typeof policy === 'function' ? policy : (node: GraphNode) => policy.schemes.get(node.name);
  for (const record of records) {
    const { node } = record;
    const single = alone(integers.graph, node, values);
    const program = compile(single.graph, fakeQuant());
    const tape = new Tape({ memory: new Memory(), training: false, record: false });
    const seen: Operands[] = [];
    const results = program.run(single.feeds, {
      tape,
      parameters: new Parameters(single.graph),
      bits: choose,
      operands: (operands) => {
        const copy = (value: Value) => ({ ...value, dims: value.dims, data: value.data.slice() }) as unknown as Value;
        seen.push({ ...operands, x: copy(operands.x), w: copy(operands.w) });
      },
    });
    const [{ x, w, scheme }] = seen as [Operands];
    const bits = activationBits(scheme);
    const bitsOf = (row: number, rows: number) =>
      typeof bits === 'number' ? bits : (bits[Math.floor((row * bits.length) / rows)] as number);
    const expected = dequantized(record, bitsOf, scheme.scheme.activations.granularity.kind === 'perTensor');
    const { alpha = 1, transA = 0 } = node.attributes as { alpha?: number; transA?: number };
    const rows = transA === 0 ? x.data : kernelOrder({ ...node, attributes: {} }, x);
    assertSame(rows, expected.x, `${node.name}: activations`);
    const scaled = kernelOrder(node, w).map((value) => value * alpha);
    assertSame(scaled, expected.w, `${node.name}: weights`);
    // Σ |x · w| + |b|: the same node on absolute values.
    const attributes = Object.entries(node.attributes).map(([name, value]) =>
      name === 'beta' || name === 'alpha' ? [name, Math.abs(value as number)] : [name, value],
    );
    const positive = (name: string, { dims, data }: HostTensor) => {
      const used = name === node.inputs[0] ? rowMajor(x) : name === node.inputs[1] ? w.data : (data as Float32Array);
      return floats(dims, used.map(Math.abs));
    };
    const absolute = single.graph.with({
      nodes: [{ ...node, attributes: Object.fromEntries(attributes) }],
      initializers: new Map([...single.graph.initializers].map(([name, tensor]) => [name, positive(name, tensor)])),
    });
    const feedsOf = Object.entries(single.feeds).map(([name, tensor]) => [name, positive(name, tensor)]);
    const [magnitude] = runFloat(absolute, Object.fromEntries(feedsOf)).values();
    const [result] = bare(results).values();
    const y = values.get(node.outputs[0] as string)?.data as Float32Array;
    const outputs = result?.data as Float32Array;
    const bound = (i: number) => (expected.k + 5) * ROUNDING * Number(magnitude?.data[i]);
    const off = outputs.findIndex((value, i) => !(Math.abs(value - (y[i] as number)) <= bound(i)));
    assert.ok(off < 0, `${node.name}[${off}]: ${outputs[off]}, integer ${y[off]}, bound ${bound(off)}`);
  }
  integers.dispose();
  return records.length;
}

describe('fake quantization beside the integer plan', () => {
  for (const [name, { graph, feeds }] of Object.entries(CASES)) {
    it(`${name}: codes of every layer are equal and outputs differ by rounding only`, () => {
      const { graph: folded } = compile(graph, fakeQuant());
      const names = compile(graph, integer()).products.map((node) => node.name);
      assert.equal(checkLayers(folded, feeds(2), mixed(names)), names.length);
      const own = Uint8Array.of(8, 2, 5);
      checkLayers(folded, feeds(3), () => ({ scheme: schemeOf(3, 8), sampleBits: own }));
    });
  }

  it('codes are equal with other granularities, and with ranges over the whole batch', () => {
    const { graph, feeds } = CASES.resnet8 as (typeof CASES)[string];
    const { graph: folded } = compile(graph, fakeQuant());
    for (const scheme of ['W4A5/wtensor', 'W4A5/g16', 'W4A5/tensor', 'W4A5/g32/tensor']) {
      checkLayers(folded, feeds(2), uniformPolicy(graph, scheme));
    }
    const program = compile(graph, fakeQuant());
    const bits = { scheme: parseScheme('W8A8/tensor'), sampleBits: Uint8Array.of(8, 8) };
    const use = { tape: recording(), parameters: new Parameters(program.graph), bits: () => bits };
    assert.throws(() => program.run(feeds(2), use), /quantized per sample.*received W8A8\/tensor/);
  });

  it('unusual Gemms: transposed activations and factors', () => {
    checkLayers(gemms(), { input: randomTensor(new Random(9), [7, 5]) }, uniformPolicy(gemms(), 'W5A6'));
  });

  it('whole networks agree, residual additions and ReLUs included, but where a last bit tips a code over', () => {
    for (const name of ['convnet2', 'resnet8', 'resnet20'] as const) {
      const { graph, feeds } = CASES[name] as (typeof CASES)[string];
      const batch = feeds(16);
      const integers = compile(graph, integer());
      const program = compile(graph, fakeQuant());
      const policy = uniformPolicy(graph, 'W4A4');
      const [expected] = bare(integers.run(batch, { bits: policy })).values();
      const tape = new Tape({ memory: new Memory(), training: false, record: false });
      const [result] = bare(
        program.run(batch, { tape, parameters: new Parameters(program.graph), bits: policy }),
      ).values();
      const [a, b] = [expected?.data as Float32Array, result?.data as Float32Array];
      const largest = a.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const classes = a.length / 16;
      let equal = 0;
      for (let i = 0; i < 16; i++) {
        const same = (value: number, c: number) => Math.abs(value - (b[i * classes + c] as number)) <= 1e-5 * largest;
        if (a.slice(i * classes, (i + 1) * classes).every(same)) equal += 1;
      }
      // One code in some 100,000 lies within the last bit of a boundary: few of 16 images can meet one.
      assert.ok(equal >= 12, `${name}: ${equal} of 16 agree`);
      integers.dispose();
    }
  });

  it('nodes without bits stay in full precision', () => {
    const { graph, feeds } = CASES.resnet8 as (typeof CASES)[string];
    const program = compile(graph, fakeQuant());
    const tape = new Tape({ memory: new Memory(), training: false, record: false });
    const parameters = new Parameters(program.graph);
    const none = program.run(feeds(2), { tape, parameters, bits: () => undefined });
    const full = program.run(feeds(2), { tape, parameters });
    assert.deepEqual(bare(none), bare(full));
  });
});

describe('several passes on one tape', () => {
  const graph = buildModel('resnet8', { seed: 4 });
  const batch = images(graph, 5);
  const seedOf = (salt: number) => {
    const random = new Random(salt);
    return Float32Array.from({ length: 50 }, () => random.normal());
  };

  it('add up the gradients of shared parameters', () => {
    const program = compile(graph, fakeQuant());
    const policies = [uniformPolicy(graph, 'W4A4'), uniformPolicy(graph, parseScheme('W8A3'))];
    const gradientOf = (...passes: number[]) => {
      const parameters = new Parameters(program.graph);
      const tape = recording();
      const outputs = passes.map((pass) => {
        const results = program.run(batch, { tape, parameters, bits: policies[pass] });
        return [[...results.values()][0] as Value, seedOf(pass)] as const;
      });
      const [first, ...more] = outputs;
      if (first) tape.backward(...first, ...more);
      return Float64Array.from(parameters.gradients);
    };
    const parts = [gradientOf(0), gradientOf(1), gradientOf(2)];
    const all = gradientOf(0, 1, 2);
    const largest = all.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    all.forEach((value, i) => {
      const sum = parts.reduce((total, part) => total + (part[i] as number), 0);
      assert.ok(Math.abs(value - sum) <= 1e-5 * largest, `${i}: ${value}, ${sum}`);
    });
    assert.ok(parts.every((part) => part.some((value) => Math.abs(value) > 1e-3 * largest)));
  });

  it('give each layer whose operands are shared the gradient of both readers', () => {
    // Two products of one activation: summed by one node, their gradient must be that of the joined product.
    const joined = new GraphBuilder('joined');
    const w = randomTensor(new Random(1), [6, 4]);
    const v = randomTensor(new Random(2), [6, 4]);
    const x = joined.input('x', ['N', 6]);
    const scaled = joined.node('scaled', 'Mul', [x, joined.initializer('s', floats([6], new Float32Array(6).fill(1)))]);
    const sum = joined.node('sum', 'Add', [
      joined.node('a', 'MatMul', [scaled, joined.initializer('w', w)]),
      joined.node('b', 'MatMul', [scaled, joined.initializer('v', v)]),
    ]);
    joined.output(sum);
    const program = compile(joined.build(), fakeQuant());
    const feeds = { x: randomTensor(new Random(3), [5, 6]) };
    const gradients = (bits: SchemeChooser) => {
      const parameters = new Parameters(program.graph);
      const tape = recording();
      const [y] = program.run(feeds, { tape, parameters, bits }).values();
      tape.backward(y as Value, new Float32Array(20).fill(1));
      return parameters.get('s')?.gradient?.slice() as Float32Array;
    };
    // Widths by number are shared, the same widths by row are not.
    const shared = gradients(() => schemeOf(8, 3));
    const apart = gradients(() => ({ scheme: schemeOf(8, 8), sampleBits: new Uint8Array(5).fill(3) }));
    shared.forEach((value, i) => {
      assert.ok(Math.abs(value - (apart[i] as number)) <= 1e-5 * Math.abs(value), `${value}, ${apart[i]}`);
    });
  });
});
