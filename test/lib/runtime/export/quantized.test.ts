// Quantized models for other runtimes: onnxruntime runs what was written and says what the integer interpreter says.

import assert from 'node:assert/strict';
import ort from 'onnxruntime-node';
import { perGroup, perOutputChannel, perTensor } from '../../../../lib/format/granularity.js';
import { type Scheme, schemeOf } from '../../../../lib/format/scheme.js';
import { GraphBuilder } from '../../../../lib/graph/builder.js';
import { GraphError } from '../../../../lib/graph/errors.js';
import type { Graph } from '../../../../lib/graph/graph.js';
import { decodeModel, encodeModel } from '../../../../lib/graph/onnx/codec.js';
import { type ArchitectureName, buildModel } from '../../../../lib/models/index.js';
import { type Policy, uniformPolicy, withPolicyGranularities } from '../../../../lib/policy/policy.js';
import { integer } from '../../../../lib/runtime/backends/integer.js';
import { type ExportQuantizedOptions, exportQuantized } from '../../../../lib/runtime/export/quantized.js';
import { compile } from '../../../../lib/runtime/program.js';
import { floats, type HostTensor, hostTensor } from '../../../../lib/tensor/host_tensor.js';
import { Random } from '../../../../lib/tensor/random.js';
import { randomTensor } from '../../../support/onnxruntime.js';
import { signals } from '../../../support/signals.js';
import { TOKENS, transformer, VOCABULARY } from '../../../support/transformer.js';

type Feeds = Record<string, HostTensor>;

/**
 * The runtimes round the last bit of a product differently (a fused multiply-add here, two roundings there). Where that
 * moves an activation over a rounding border, it moves by one step, 1 / (2^bits − 1) of its range. So few are moved that
 * a logit moves by some steps of the logits' range; on these networks by at most one.
 */
const STEPS = 4;

/** TensorProto.DataType */
const UINT8 = 2;

const tolerance = (activationBits: number) => STEPS / (2 ** activationBits - 1);

async function onnxruntime(bytes: Uint8Array, feeds: Feeds): Promise<Float32Array> {
  const session = await ort.InferenceSession.create(bytes, { intraOpNumThreads: 1, logSeverityLevel: 3 });
  const tensors = Object.entries(feeds).map(([name, { dtype, dims, data }]) => [
    name,
    new ort.Tensor(dtype as 'float32', data as Float32Array, dims),
  ]);
  const [result] = Object.values(await session.run(Object.fromEntries(tensors)));
  await session.release();
  return result?.data as Float32Array;
}

function interpreted(graph: Graph, policy: Policy, feeds: Feeds, options: ExportQuantizedOptions): Float32Array {
  const { reduceRange } = options;
  const program = compile(graph, integer({ reduceRange }));
  const bits = withPolicyGranularities(policy, { activations: perTensor });
  const [value] = [...program.run(feeds, { bits }).values()];
  const result = (value as { data: Float32Array }).data.slice();
  program.dispose();
  return result;
}

function distance(actual: Float32Array, expected: Float32Array): number {
  assert.equal(actual.length, expected.length);
  const size = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return expected.reduce((most, value, i) => Math.max(most, Math.abs(value - (actual[i] as number))), 0) / size;
}

async function check(graph: Graph, policy: Policy, feeds: Feeds, options: ExportQuantizedOptions = {}) {
  const exported = exportQuantized(graph, policy, options);
  const actual = await onnxruntime(exported.bytes, feeds);
  const expected = interpreted(graph, policy, feeds, options);
  const least = Math.min(...[...policy.schemes.values()].map(({ activations }) => activations.format.bits));
  const received = distance(actual, expected);
  assert.ok(received <= tolerance(least), `${graph.name}: ${received} of the largest logit, ${least}-bit activations`);
  return exported;
}

function imageNet(name: ArchitectureName): { graph: Graph; feeds: Feeds } {
  const graph = buildModel(name, { seed: 3 });
  const dims = graph.inputs[0]?.dims?.slice(1) as number[];
  return { graph, feeds: { [graph.inputs[0]?.name ?? '']: randomTensor(new Random(4), [3, ...dims]) } };
}

function tokens(): { graph: Graph; feeds: Feeds } {
  const random = new Random(5);
  const ids = BigInt64Array.from({ length: 2 * TOKENS }, () => BigInt(random.integer(VOCABULARY)));
  return { graph: transformer(), feeds: { ids: hostTensor('int64', [2, TOKENS], ids) } };
}

/** Products in their less usual forms. */
function oddProducts(opset = 17): Graph {
  const random = new Random(8);
  const b = new GraphBuilder('odd products');
  const weight = (name: string, dims: number[]) => b.initializer(name, randomTensor(random.split(name), dims));
  const x = b.input('input', ['N', 4, 7, 6]);
  const grouped = b.node('grouped', 'Conv', [x, weight('w0', [6, 2, 3, 3]), weight('b0', [6])], {
    attributes: { group: 2, strides: [2, 1], dilations: [1, 2], pads: [1, 2, 0, 2] },
  });
  const same = b.node('same', 'Conv', [grouped, weight('w1', [5, 6, 2, 3])], {
    attributes: { auto_pad: 'SAME_UPPER' },
  });
  const flat = b.node('flat', 'Flatten', [same]);
  const first = b.node('first', 'Gemm', [flat, weight('w2', [90, 6]), weight('c2', [1, 6])], {
    attributes: { alpha: 0.5, beta: 2 },
  });
  const second = b.node('second', 'Gemm', [first, weight('w3', [6, 6]), first], {
    attributes: { transB: 1, beta: -1 },
  });
  const turned = b.node('turned', 'Transpose', [second], { attributes: { perm: [1, 0] } });
  const third = b.node('third', 'Gemm', [turned, weight('w4', [6, 20])], { attributes: { transA: 1 } });
  const batched = b.node('batched', 'MatMul', [third, weight('w5', [1, 20, 8])]);
  b.output(b.node('vector', 'MatMul', [batched, weight('w6', [8])]));
  return b.build().with({ opset });
}

const oddFeeds = (): Feeds => ({ input: randomTensor(new Random(9), [3, 4, 7, 6]) });

describe('export of quantized models', () => {
  for (const name of ['mlp', 'convnet2', 'resnet8'] as const) {
    it(`${name}: onnxruntime agrees with the integer interpreter at W8A8, W4A8 and W4A4, as integers and as QDQ`, async () => {
      const { graph, feeds } = imageNet(name);
      for (const bits of ['W8A8', 'W4A8', 'W4A4']) {
        for (const format of ['integer', 'qdq'] as const)
          await check(graph, uniformPolicy(graph, bits), feeds, { format });
      }
    });
  }

  it('a transformer, whose products have three dimensions', async () => {
    const { graph, feeds } = tokens();
    for (const format of ['integer', 'qdq'] as const)
      await check(graph, uniformPolicy(graph, 'W8A8'), feeds, { format });
    const { nodes } = await check(graph, uniformPolicy(graph, 'W4A8'), feeds);
    assert.ok(nodes.some(({ form }) => form === 'matMulNBits'));
    for (const { node, remarks } of nodes)
      assert.equal(/one for each row/.test(remarks.join()), node !== 'logits.product', node); // that has one row a sample
  });

  it('products of every form and mixed bits: groups, padding, factors, addends, transposed, batched, a vector', async () => {
    for (const opset of [13, 17, 21]) {
      const graph = oddProducts(opset);
      const names = ['grouped', 'same', 'first', 'second', 'third', 'batched', 'vector'];
      const bits = new Map(names.map((name, i): [string, Scheme] => [name, schemeOf(8 - (i % 7), 8 - ((i * 3) % 5))]));
      for (const format of ['integer', 'qdq'] as const) {
        for (const weights of [perOutputChannel, perTensor, perGroup(16)]) {
          const policy = withPolicyGranularities({ schemes: bits, excluded: new Set() }, { weights });
          await check(graph, policy, oddFeeds(), { format });
        }
      }
    }
  });

  it('convolutions of signals, [N, C, L]', async () => {
    const graph = signals();
    const feeds = { input: randomTensor(new Random(2), [3, 4, 20]) };
    for (const scheme of ['W8A8', 'W4A5', 'W8A8/g16', 'W4A5/g16', 'W4A16']) {
      for (const format of ['integer', 'qdq'] as const) {
        await check(graph, uniformPolicy(graph, scheme), feeds, { format });
      }
    }
  });

  it('reduced range: no code beyond ±64, the same figures', async () => {
    const { graph, feeds } = imageNet('convnet2');
    const { bytes } = await check(graph, uniformPolicy(graph, 'W8A8'), feeds, { reduceRange: true });
    const codes = decodeModel(bytes).graph?.initializer?.filter(({ name }) => name?.endsWith('.codes')) ?? [];
    assert.ok(codes.length > 0);
    for (const { rawData = new Uint8Array(), dataType } of codes) {
      const values = Int8Array.from(rawData, (code) => (dataType === UINT8 ? code - 128 : code));
      assert.equal(Math.max(...values.map(Math.abs)), 64);
    }
  });

  it('8-bit nodes are DynamicQuantizeLinear and an integer operator, one quantization a value', () => {
    const { graph } = imageNet('resnet8');
    const { bytes, nodes } = exportQuantized(graph, uniformPolicy(graph, 'W8A8'));
    const operators = (decodeModel(bytes).graph?.node ?? []).map(({ opType }) => opType);
    const count = (name: string) => operators.filter((operator) => operator === name).length;
    assert.equal(count('ConvInteger') + count('MatMulInteger'), nodes.length);
    assert.equal(count('Conv') + count('Gemm') + count('MatMul'), 0);
    // The shortcut convolutions of two blocks read what the block's first convolution reads.
    assert.equal(count('DynamicQuantizeLinear'), nodes.length - 2);
    assert.deepEqual(new Set(nodes.map(({ form }) => form)), new Set(['integer']));
    assert.ok(nodes.every(({ remarks }) => remarks.length === 0));
  });

  it('unsigned convolution weights with a zero point compute what signed ones do, bit for bit', async () => {
    const { graph, feeds } = imageNet('resnet8');
    const { bytes } = exportQuantized(graph, uniformPolicy(graph, 'W8A8'));
    const model = decodeModel(bytes);
    const { node = [], initializer = [] } = model.graph ?? {};
    let signed = 0;
    for (const one of node.filter(({ opType }) => opType === 'ConvInteger')) {
      const codes = initializer.find(({ name }) => name === one.input?.[1]);
      assert.ok(codes?.rawData && codes.dataType === UINT8);
      codes.rawData = codes.rawData.map((code) => code ^ 128);
      codes.dataType = 3;
      one.input = one.input?.slice(0, 3) ?? [];
      signed += 1;
    }
    assert.equal(signed, 9);
    assert.deepEqual(await onnxruntime(encodeModel(model), feeds), await onnxruntime(bytes, feeds));
  });

  it('says of each node what the target cannot do and what became of it', () => {
    const graph = oddProducts(17);
    const [grouped, ...others] = exportQuantized(graph, uniformPolicy(graph, 'W4A4', { excluded: ['grouped'] })).nodes;
    assert.deepEqual([grouped?.form, grouped?.bits], ['float32', undefined]);
    assert.match(grouped?.remarks.join() ?? '', /float32/);
    assert.deepEqual(
      others.map(({ form }) => form),
      ['integer', 'matMulNBits', 'matMulNBits', 'matMulNBits', 'integer', 'integer'],
    );
    for (const { remarks } of others) assert.match(remarks.join('; '), /no operator quantizes to 4 bits/);
    assert.match(others[0]?.remarks.join('; ') ?? '', /4-bit weights take 8 bits/);
    const blocks = exportQuantized(graph, uniformPolicy(graph, 'W8A8/g16')).nodes;
    for (const { form, remarks } of blocks) {
      assert.equal(form, 'qdq');
      assert.match(remarks.join(), /block of 16/);
    }
  });

  it('int4 codes are stored as int4 where the operator set has it', () => {
    const types = (opset: number) => {
      const graph = oddProducts(opset);
      const { bytes } = exportQuantized(graph, uniformPolicy(graph, 'W4A8'), { format: 'qdq' });
      return new Set((decodeModel(bytes).graph?.initializer ?? []).map(({ dataType }) => dataType));
    };
    const [INT8, INT4] = [3, 22];
    assert.ok(types(21).has(INT4) && !types(21).has(INT8));
    assert.ok(types(17).has(INT8) && !types(17).has(INT4));
  });

  it('a policy that does not fit is refused, naming the node', () => {
    const graph = oddProducts();
    const policy: Policy = {
      schemes: new Map([['grouped', schemeOf(8, 8)]]),
      excluded: new Set(),
    };
    assert.throws(
      () => exportQuantized(graph, policy),
      (error: Error) => error instanceof GraphError && /"same"/.test(error.message),
    );
  });

  it('a constant and a zero activation: scales of ranges without extent', async () => {
    const { graph, feeds } = imageNet('convnet2');
    const [[name, { dims }]] = Object.entries(feeds) as [[string, HostTensor]];
    const size = dims.reduce((a, b) => a * b, 1);
    for (const value of [0, 1.5, -2]) {
      for (const bits of ['W8A8', 'W8A5']) {
        const constant = { [name]: floats(dims, new Float32Array(size).fill(value)) };
        await check(graph, uniformPolicy(graph, bits), constant);
      }
    }
  });
});
