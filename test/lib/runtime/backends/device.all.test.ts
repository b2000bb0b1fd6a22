// Whole networks on the device: the bits of the integer backend on the processor, whatever runs where.

import assert from 'node:assert/strict';
import { schemeOf } from '../../../../lib/format/scheme.js';
import { GraphBuilder } from '../../../../lib/graph/builder.js';
import { GraphError } from '../../../../lib/graph/errors.js';
import type { Graph } from '../../../../lib/graph/graph.js';
import { buildModel } from '../../../../lib/models/index.js';
import { openCuda } from '../../../../lib/native/cuda_addon.js';
import { DeviceError } from '../../../../lib/native/device_error.js';
import { BudgetSpace } from '../../../../lib/policy/budget.js';
import { type Policy, uniformPolicy } from '../../../../lib/policy/policy.js';
import { device } from '../../../../lib/runtime/backends/device.js';
import { DeviceBuffer } from '../../../../lib/runtime/backends/device_buffer.js';
import { type IntegerOptions, type IntegerUse, integer } from '../../../../lib/runtime/backends/integer.js';
import { PolicyEvaluator } from '../../../../lib/runtime/evaluate_policies.js';
import type { SchemeChooser } from '../../../../lib/runtime/product_scheme.js';
import { compile, type Program } from '../../../../lib/runtime/program.js';
import { floats, type HostTensor } from '../../../../lib/tensor/host_tensor.js';
import { Random } from '../../../../lib/tensor/random.js';
import { onRealDevice, useTestDevice } from '../../../support/device.js';
import { randomTensor } from '../../../support/onnxruntime.js';
import { CASES, type Feeds, gemms, images, mixed } from '../../../support/quantized_networks.js';

function outputs(
  program: Program<IntegerUse>,
  bits: Policy | SchemeChooser,
  feeds: Feeds,
): Record<string, Float32Array> {
  return Object.fromEntries([...program.run(feeds, { bits })].map(([name, value]) => [name, value.data.slice()]));
}

/** The same graph on both, the same policy: equal bits. Returns the names of steps whose values were on the device. */
function compare(graph: Graph, feeds: Feeds, policy?: Policy | SchemeChooser, options: IntegerOptions = {}): string[] {
  const host = compile(graph, integer(options));
  const there = compile(graph, device(options));
  const bits = policy ?? mixed(host.products.map(({ name }) => name));
  assert.deepEqual(outputs(there, bits, feeds), outputs(host, bits, feeds));
  const run = there.begin(feeds, {});
  const names: string[] = [];
  there.steps.forEach((step, index) => {
    there.advance(run, index, index + 1, { bits });
    if (run.values.get(step.output)?.buffer instanceof DeviceBuffer) names.push(step.node.operator);
  });
  const used = openCuda().addon.memory().inUse;
  there.dispose();
  assert.ok(openCuda().addon.memory().inUse < used);
  host.dispose();
  return names;
}

/** Every operator that the device has, between two convolutions. */
function operators(): Graph {
  const random = new Random(8);
  const b = new GraphBuilder('operators');
  const weight = (name: string, dims: number[]) => b.initializer(name, randomTensor(random.split(name), dims));
  const scalar = (name: string, value: number) => b.initializer(name, floats([], [value]));
  let x = b.input('input', ['N', 3, 9, 8]);
  x = b.node('normalized', 'Div', [b.node('centred', 'Sub', [x, weight('mean', [3, 1, 1])]), scalar('deviation', 1.7)]);
  x = b.node('first', 'Conv', [x, weight('w1', [6, 3, 3, 3])], { attributes: { pads: [1, 1, 1, 1] } });
  const branches = ['Sigmoid', 'HardSwish', 'HardSigmoid', 'Abs'].map((operator) => b.node(operator, operator, [x]));
  const [a = '', c = '', d = '', e = ''] = branches;
  x = b.node('mul', 'Mul', [a, c]);
  x = b.node('max', 'Max', [x, b.node('min', 'Min', [d, e])]);
  x = b.node('leaky', 'LeakyRelu', [b.node('sub', 'Sub', [x, c])], { attributes: { alpha: 0.1 } });
  const window = { kernel_shape: [3, 2], strides: [2, 1], pads: [1, 0, 0, 1] };
  const most = b.node('most', 'MaxPool', [x], { attributes: window });
  const mean = b.node('mean pool', 'AveragePool', [x], { attributes: { ...window, count_include_pad: 1 } });
  x = b.node('pools', 'Add', [most, mean]);
  const clipped = b.node('clip', 'Clip', [x, scalar('low', -1), scalar('high', 1.5)]);
  x = b.node('second', 'Conv', [clipped, weight('w2', [6, 1, 3, 3])], { attributes: { group: 6, pads: [1, 1, 1, 1] } });
  x = b.node('softmax', 'Softmax', [b.node('gated', 'Mul', [x, b.node('gate', 'GlobalMaxPool', [x])])]);
  x = b.node('flat', 'Flatten', [x]);
  const size = b.typeOf(x).dims[1] as number;
  x = b.node('logits', 'Gemm', [x, weight('w3', [size, 4]), weight('b3', [4])]);
  b.output(x);
  return b.build();
}

describe('device backend', () => {
  before(useTestDevice);

  const networks: Record<string, () => [Graph, number]> = {
    mlp: () => [CASES.mlp?.graph as Graph, 20],
    convnet2: () => [buildModel('convnet2', { input: [3, 8, 8], seed: 3 }), 3],
    resnet8: () => [buildModel('resnet8', { input: [1, 12, 12], seed: 3 }), 2],
    mobilenetv2: () => [buildModel('mobilenetv2-cifar', { input: [3, 8, 8], seed: 3 }), 1],
  };
  for (const [name, make] of Object.entries(networks)) {
    it(`${name}: the processor's bits, and nothing comes back before the logits`, () => {
      const [graph, samples] = make();
      const there = compare(graph, images(graph, samples));
      assert.equal(there.length, compile(graph, integer()).steps.length);
    });
  }

  it('operators between products, and one that only the processor has', () => {
    const graph = operators();
    const there = compare(graph, images(graph, 3));
    const all = ['Sub', 'Div', 'Conv', 'Sigmoid', 'HardSwish', 'HardSigmoid', 'Abs', 'Mul', 'Min', 'Max', 'LeakyRelu'];
    for (const operator of [...all, 'MaxPool', 'AveragePool', 'Add', 'Clip', 'GlobalMaxPool', 'Flatten', 'Gemm']) {
      assert.ok(there.includes(operator), operator);
    }
    assert.ok(!there.includes('Softmax'));
  });

  it('bits by sample, chosen from activations; one range for all; scales by block; unusual Gemms; a transformer', () => {
    const graph = buildModel('convnet2', { input: [1, 6, 6], seed: 5 });
    const feeds = images(graph, 3);
    const chooser: SchemeChooser = (_, activation) => {
      const each = activation.size / 3;
      const bits = (i: number) => ((activation.data[i * each + 1] as number) > 0.1 ? 3 : 6);
      return { scheme: schemeOf(5, 8), sampleBits: Uint8Array.of(bits(0), bits(1), bits(2)) };
    };
    compare(graph, feeds, chooser);
    for (const scheme of ['W5A6/tensor', 'W5A6/g16', 'W5A6/wtensor', 'W4A16']) {
      compare(graph, feeds, uniformPolicy(graph, scheme));
    }
    const excluded = new Set(['conv2.conv']);
    compare(graph, feeds, mixed(['conv1.conv', 'logits'], excluded));
    compare(gemms(), { input: randomTensor(new Random(9), [7, 5]) });
    compare(CASES.transformer?.graph as Graph, CASES.transformer?.feeds(2) as Feeds);
  });

  it('NaN is reported with the layer that read it, when results are read', () => {
    const graph = buildModel('convnet2', { input: [1, 6, 6], seed: 5 });
    const feeds = images(graph, 3);
    const data = Float32Array.from((feeds.input as HostTensor<'float32'>).data);
    data[40] = Number.NaN;
    const bad = { input: { ...feeds.input, data } } as Feeds;
    const policy = uniformPolicy(graph, 'W8A8');
    const [host, there] = [compile(graph, integer()), compile(graph, device())];
    const message = (program: Program<IntegerUse>) => {
      try {
        outputs(program, policy, bad);
      } catch (error) {
        assert.ok(error instanceof GraphError);
        return error.message;
      }
      return undefined;
    };
    assert.match(message(host) ?? '', /conv1\.conv.*sample 1/);
    assert.equal(message(there), message(host));
    assert.deepEqual(outputs(there, policy, feeds), outputs(host, policy, feeds));
    host.dispose();
    there.dispose();
  });
});

describe('policy evaluator on the device', () => {
  before(useTestDevice);
  const graph = buildModel('convnet2', { input: [1, 6, 6], seed: 4 });
  const dims = [7, 1, 6, 6];
  const { data: inputs } = randomTensor(new Random(7), dims);
  const labels = [0, 1, 2, 3, 4, 5, 6];
  const data = { dims, inputs, labels, reference: Int32Array.of(9, 9, 1, 1, 2, 2, 3) };
  const random = new Random(1);
  const space = new BudgetSpace(graph, { bits: 4, choices: ['W2A2', 'W4A4', 'W8A8'], tolerance: 2 });
  const policies = [...Array.from({ length: 12 }, () => space.sample(random)), uniformPolicy(graph, 'W8A8')];

  it('accuracy, agreement and logits of many policies that share beginnings', async () => {
    const [host, device] = [new PolicyEvaluator(graph), new PolicyEvaluator(graph, { device: 'cuda' })];
    assert.deepEqual([host.device, device.device], ['cpu', 'cuda']);
    const options = { batchSize: 3, logits: true };
    const expected = await host.evaluate(policies, data, options);
    const before = openCuda().addon.memory().inUse;
    assert.deepEqual(await device.evaluate(policies, data, options), expected);
    const plain = expected.map((result) => ({ ...result, logits: undefined }));
    assert.deepEqual(await device.evaluate(policies, data), plain);
    assert.ok(openCuda().addon.memory().inUse >= before); // weights and constants
    device.dispose();
    assert.ok(openCuda().addon.memory().inUse <= before);
    host.dispose();
  });

  if (!onRealDevice) {
    it('memory that ends: cuda says so and works again later, auto continues on the processor', async () => {
      const large = buildModel('mlp', { input: [1, 64, 64] });
      const all = ['W8A8', 'W4A4'].map((bits) => uniformPolicy(large, bits));
      const dims = [64, 1, 64, 64];
      const images = { dims, inputs: randomTensor(new Random(8), dims).data, labels: new Int32Array(64) };
      const host = new PolicyEvaluator(large);
      const [cuda, auto] = (['cuda', 'auto'] as const).map((device) => new PolicyEvaluator(large, { device }));
      const expected = await host.evaluate(all, images);
      // Less than is in use already: every new piece is refused.
      process.env.FAULTLINE_EMULATED_BYTES = '1';
      try {
        await assert.rejects(async () => cuda?.evaluate(all, images, { batchSize: 64 }), DeviceError);
        assert.equal(auto?.device, 'cuda');
        assert.deepEqual(await auto?.evaluate(all, images), expected);
        assert.equal(auto?.device, 'cpu');
      } finally {
        delete process.env.FAULTLINE_EMULATED_BYTES;
      }
      assert.deepEqual(await cuda?.evaluate(all, images), expected);
      for (const evaluator of [host, cuda, auto]) evaluator?.dispose();
    });
  }
});
