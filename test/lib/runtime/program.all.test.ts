// Large networks: everything from the file to the results takes time that grows as the network does. A search that is
// quadratic in nodes, outputs or readers of a value would run into mocha's time limit here.
import assert from 'node:assert/strict';
import type { GraphNode, ValueInfo } from '../../../lib/graph/graph.js';
import { Graph } from '../../../lib/graph/graph.js';
import { exportModel } from '../../../lib/graph/onnx/export.js';
import { importModel } from '../../../lib/graph/onnx/import.js';
import { prepare } from '../../../lib/graph/prepare.js';
import { uniformPolicy } from '../../../lib/policy/policy.js';
import { runFloat } from '../../../lib/runtime/backends/float.js';
import { integer } from '../../../lib/runtime/backends/integer.js';
import { compile } from '../../../lib/runtime/program.js';
import { floats } from '../../../lib/tensor/host_tensor.js';

const NODES = 100_000;

const node = (name: string, operator: string, inputs: string[]): GraphNode => ({
  ...{ name, operator, inputs, outputs: [name], attributes: {} },
});

/** One after another: a product, an addition of a constant, two functions of each element. */
function chain(): Graph {
  const kinds = [['MatMul', 'w'], ['Add', 'c'], ['Relu'], ['Neg']] as const;
  const nodes = Array.from({ length: NODES }, (_, i) => {
    const [operator, ...constants] = kinds[i % kinds.length] as (typeof kinds)[number];
    return node(`v${i}`, operator, [i === 0 ? 'x' : `v${i - 1}`, ...constants]);
  });
  return graphOf(nodes, [`v${NODES - 1}`]);
}

/** All read the input, and each is an output. */
function outputs(): Graph {
  const nodes = Array.from({ length: NODES }, (_, i) => node(`v${i}`, 'Relu', ['x']));
  return graphOf(
    nodes,
    nodes.map(({ name }) => name),
  );
}

/** Constants that folding computes, each added to the sum so far. */
function constants(): Graph {
  const nodes = Array.from({ length: NODES / 2 }, (_, i) => [
    node(`k${i}`, 'Neg', ['c']),
    node(`v${i}`, 'Add', [i === 0 ? 'x' : `v${i - 1}`, `k${i}`]),
  ]);
  return graphOf(nodes.flat(), [`v${NODES / 2 - 1}`]);
}

function graphOf(nodes: GraphNode[], returned: readonly string[]): Graph {
  const value = (name: string): ValueInfo => ({ name, dtype: 'float32', dims: ['N', 2] });
  const initializers = new Map([
    ['w', floats([2, 2], [0.5, 0.25, 0.25, 0.5])],
    ['c', floats([2], [1, 2])],
  ]);
  const ends = returned.map(value);
  return new Graph({ name: 'large', opset: 17, inputs: [value('x')], outputs: ends, nodes, initializers });
}

describe('programs of 100,000 nodes', () => {
  for (const make of [chain, outputs, constants]) {
    it(`${make.name}: from the file to the results`, () => {
      const graph = importModel(exportModel(make())).graph;
      assert.equal(graph.nodes.length, NODES);
      const program = compile(prepare(graph), integer());
      const feeds = { x: floats([2, 2], [1, -2, 3, 4]) };
      const bits = uniformPolicy(graph, 'W8A8');
      const results = program.run(feeds, { bits });
      assert.equal(results.size, graph.outputs.length);
      const full = runFloat(graph, feeds);
      for (const [name, { data }] of results) {
        const expected = full.get(name)?.data as Float32Array;
        assert.ok(data.every((x, i) => Math.abs(x - (expected[i] as number)) <= 0.1 * (1 + Math.abs(x))));
      }
      program.dispose();
    });
  }
});
