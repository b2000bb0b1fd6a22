// Networks of every kind that can be quantized, with inputs for them: what interpreters are tested on.

import assert from 'node:assert/strict';
import { Tape } from '../../lib/autograd/tape.js';
import { type Scheme, schemeOf } from '../../lib/format/scheme.js';
import { GraphBuilder } from '../../lib/graph/builder.js';
import type { Graph } from '../../lib/graph/graph.js';
import { Parameters } from '../../lib/graph/parameters.js';
import { type ArchitectureName, buildModel } from '../../lib/models/index.js';
import { float } from '../../lib/runtime/backends/float.js';
import type { ProductRecord } from '../../lib/runtime/backends/integer.js';
import { compile } from '../../lib/runtime/program.js';
import { floats, type HostTensor, hostTensor } from '../../lib/tensor/host_tensor.js';
import { Memory } from '../../lib/tensor/memory.js';
import { Random } from '../../lib/tensor/random.js';
import { randomTensor } from './onnxruntime.js';
import { TOKENS, transformer, VOCABULARY } from './transformer.js';

export type Feeds = Record<string, HostTensor>;

function tokens(samples: number): Feeds {
  const random = new Random(5);
  const ids = BigInt64Array.from({ length: samples * TOKENS }, () => BigInt(random.integer(VOCABULARY)));
  return { ids: hostTensor('int64', [samples, TOKENS], ids) };
}

export function images(graph: Graph, samples: number): Feeds {
  const [input] = graph.inputs;
  assert.ok(input?.dims);
  const dims = input.dims.slice(1) as number[];
  return { input: randomTensor(new Random(6), [samples, ...dims]) };
}

/** Gemm in its less usual forms: transposed activation, factors, an addend that is computed; a clip after it. */
export function gemms(): Graph {
  const random = new Random(8);
  const b = new GraphBuilder('gemms');
  const weight = (name: string, dims: number[]) => b.initializer(name, randomTensor(random.split(name), dims));
  const x = b.input('input', [7, 'N']);
  const first = b.node('first', 'Gemm', [x, weight('w1', [7, 6]), weight('c1', [1, 6])], {
    attributes: { transA: 1, alpha: 0.5, beta: 2 },
  });
  const second = b.node('second', 'Gemm', [first, weight('w2', [6, 6]), first], {
    attributes: { transB: 1, beta: -1 },
  });
  const low = b.initializer('low', floats([], [-0.5]));
  const high = b.initializer('high', floats([], [0.75]));
  const clipped = b.node('clip', 'Clip', [second, low, high]);
  const third = b.node('third', 'MatMul', [clipped, weight('w3', [6, 6])]);
  b.output(b.node('relu', 'Relu', [b.node('sum', 'Add', [third, first])]));
  return b.build();
}

interface Case {
  readonly graph: Graph;
  feeds(samples: number): Feeds;
}

/** The graph with what its batch norms measure on some inputs: fresh weights alone let the signal of deep ones vanish. */
function measured(graph: Graph, feeds: Feeds): Graph {
  const nodes = graph.nodes.map((node) =>
    node.operator === 'BatchNormalization' ? { ...node, attributes: { ...node.attributes, momentum: 0 } } : node,
  );
  const parameters = new Parameters(graph);
  const tape = new Tape({ memory: new Memory(), training: true, record: false });
  compile(graph.with({ nodes }), float()).run(feeds, { tape, parameters });
  return parameters.toGraph(graph);
}

function model(name: ArchitectureName): Case {
  const fresh = buildModel(name, { seed: 2 });
  const graph = measured(fresh, images(fresh, 8));
  return { graph, feeds: (samples) => images(graph, samples) };
}

export const CASES: Readonly<Record<string, Case>> = {
  mlp: model('mlp'),
  convnet2: model('convnet2'),
  resnet8: model('resnet8'),
  resnet20: model('resnet20'),
  'mobilenetv2-cifar': model('mobilenetv2-cifar'),
  transformer: { graph: transformer(), feeds: tokens },
};

/** Other bits for each node, from 2 to 8. */
export function mixed(names: readonly string[], excluded: ReadonlySet<string> = new Set()) {
  const bits = names.map((name, i): [string, Scheme] => [name, schemeOf(2 + ((i * 3 + 2) % 7), 2 + ((i * 5 + 4) % 7))]);
  return { schemes: new Map(bits.filter(([name]) => !excluded.has(name))), excluded };
}

/** Records with what a later layer would overwrite copied. */
export function recorder(records: ProductRecord[]) {
  const copy = <V extends ProductRecord['x']>(value: V) =>
    ({ dims: value.dims, layout: value.layout, data: value.data.slice(), size: value.size }) as unknown as V;
  return (record: ProductRecord) => {
    const residual = record.residual && copy(record.residual);
    records.push({ ...record, x: copy(record.x), y: copy(record.y), residual });
  };
}
