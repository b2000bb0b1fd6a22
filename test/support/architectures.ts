// What every architecture is tested for: its size, and the same logits from onnxruntime as from the reference forward.
import assert from 'node:assert/strict';
import type { Graph } from '../../lib/graph/graph.js';
import { exportModel } from '../../lib/graph/onnx/export.js';
import { importModel } from '../../lib/graph/onnx/import.js';
import { simplify } from '../../lib/graph/passes/index.js';
import { summarize } from '../../lib/graph/printer.js';
import { runReference } from '../../lib/graph/reference.js';
import { type ArchitectureName, buildModel } from '../../lib/models/index.js';
import { floats, type HostTensor } from '../../lib/tensor/host_tensor.js';
import { Random } from '../../lib/tensor/random.js';
import { randomTensor, relativeDifference, runOnnxruntime } from './onnxruntime.js';

/** Those whose weights or reference forward take seconds: tested in *.all.test.ts. */
export const LARGE_ARCHITECTURES: readonly ArchitectureName[] = ['resnet18-cifar', 'resnet18', 'vgg11', 'mobilenetv2'];

/** Float32 sums in another order, through up to fifty layers. */
const MAX_RELATIVE_DIFFERENCE = 1e-4;

/** Parameters: by hand, and as torchvision counts them (resnet18, mobilenetv2). */
const PARAMETERS: Readonly<Record<ArchitectureName, number>> = {
  mlp: 784 * 256 + 256 + 256 * 128 + 128 + 128 * 10 + 10,
  convnet2: 16 * 9 + 16 * 32 * 9 + 2 * (16 + 32) + 32 * 49 * 10 + 10,
  resnet8: 77_418 + 336, // two numbers a channel of batch norm in place of one bias
  resnet20: 272_474,
  'resnet18-cifar': 11_173_962,
  resnet18: 11_689_512,
  vgg11: 9_228_362,
  'mobilenetv2-cifar': 2_236_682,
  mobilenetv2: 3_504_872,
};

/** Images on which the reference takes a fraction of a second; all that matters of a network is still there. */
const SMALL_INPUTS: Readonly<Record<ArchitectureName, readonly [number, number, number]>> = {
  mlp: [1, 28, 28],
  convnet2: [1, 12, 12],
  resnet8: [1, 28, 28],
  resnet20: [3, 16, 16],
  'resnet18-cifar': [3, 9, 9],
  resnet18: [3, 45, 37],
  vgg11: [3, 11, 11],
  'mobilenetv2-cifar': [3, 13, 13],
  mobilenetv2: [3, 45, 37],
};

const built = new Map<string, Graph>();
/** An architecture for its own images, built once: drawing eleven million weights takes a second. */
export function standard(name: ArchitectureName): Graph {
  const graph = built.get(name) ?? buildModel(name);
  built.set(name, graph);
  return graph;
}

/** The same network for small images: behind a global pool no weight depends on their size, but vgg11 drops pools. */
function small(name: ArchitectureName): Graph {
  if (['mlp', 'convnet2', 'vgg11'].includes(name)) return buildModel(name, { input: SMALL_INPUTS[name] });
  return standard(name).with({ inputs: [{ name: 'input', dtype: 'float32', dims: ['N', ...SMALL_INPUTS[name]] }] });
}

/** The graph with batch norms that are no longer the identity, so that they are tested too. */
function withTrainedStatistics(graph: Graph, random: Random): Graph {
  const initializers = new Map(graph.initializers);
  for (const { operator, inputs } of graph.nodes) {
    if (operator !== 'BatchNormalization') continue;
    for (const name of inputs.slice(1)) {
      const { dims } = initializers.get(name) as HostTensor;
      const positive = name.endsWith('.var') || name.endsWith('.scale');
      const values = Float32Array.from({ length: dims[0] as number }, () => random.uniform(positive ? 0.5 : -0.3, 1.2));
      initializers.set(name, floats(dims, values));
    }
  }
  return graph.with({ initializers });
}

/** The tests of one architecture. */
export function testArchitecture(name: ArchitectureName): void {
  it(`${name} has ${PARAMETERS[name]} parameters`, () => {
    assert.equal(summarize(standard(name)).parameters, PARAMETERS[name]);
  });

  it(`${name} gives onnxruntime's logits, and again with batch norm folded`, async () => {
    const random = new Random(7).split(name);
    const graph = withTrainedStatistics(small(name), random);
    const feeds = { input: randomTensor(random, [2, ...SMALL_INPUTS[name]]) };
    const logits = runReference(graph, feeds).get('logits') as HostTensor;
    assert.deepEqual(logits.dims, [2, name === 'resnet18' || name === 'mobilenetv2' ? 1000 : 10]);
    const outside = (await runOnnxruntime(graph, feeds)).get('logits') as HostTensor;
    assert.ok(relativeDifference(logits, outside) <= MAX_RELATIVE_DIFFERENCE);
    const { graph: folded } = simplify(graph);
    assert.ok(folded.nodes.every(({ operator }) => operator !== 'BatchNormalization'));
    const again = (await runOnnxruntime(folded, feeds)).get('logits') as HostTensor;
    assert.ok(relativeDifference(again, logits) <= MAX_RELATIVE_DIFFERENCE);
  });

  it(`${name} survives a file`, () => {
    const graph = standard(name);
    const { graph: again, notes } = importModel(exportModel(graph));
    assert.deepEqual(notes, []);
    assert.deepEqual(again.nodes, graph.nodes);
    assert.deepEqual(again.inputs, graph.inputs);
    assert.deepEqual(again.outputs, graph.outputs);
    for (const [value, { data }] of graph.initializers) {
      const copy = again.initializers.get(value)?.data as Float32Array;
      assert.equal(Buffer.compare(Buffer.from(copy.buffer), Buffer.from((data as Float32Array).buffer)), 0);
    }
  });
}
