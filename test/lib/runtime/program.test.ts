// Programs: what is read of a network to prepare, compile and run it grows as the network does. Reads are counted, not time.
import assert from 'node:assert/strict';
import { Graph, type GraphNode, type ValueInfo } from '../../../lib/graph/graph.js';
import { prepare } from '../../../lib/graph/prepare.js';
import { uniformPolicy } from '../../../lib/policy/policy.js';
import { runFloat } from '../../../lib/runtime/backends/float.js';
import { integer } from '../../../lib/runtime/backends/integer.js';
import { compile } from '../../../lib/runtime/program.js';
import { floats } from '../../../lib/tensor/host_tensor.js';

const NODES = 1500;
/** Of a node and an output; measured: 110 at most. One quadratic search reads 1,500. */
const READS_OF_EACH = 200;

/** An object whose properties count when they are read. */
function counted<Item extends object>(item: Item, reads: { count: number }): Item {
  return new Proxy(item, {
    get: (target, key) => {
      reads.count += 1;
      return Reflect.get(target, key);
    },
  });
}

/** Nodes by number: operator, inputs, and whether the network returns the output. */
const KINDS: Readonly<Record<string, (i: number) => readonly [string, string[], boolean]>> = {
  chain: (i) => {
    const x = i === 0 ? 'x' : `v${i - 1}`;
    const kinds = [['MatMul', [x, 'w']] as const, ['Add', [x, 'c']] as const, ['Relu', [x]] as const];
    const [operator, inputs] = kinds[i % kinds.length] as (typeof kinds)[number];
    return [operator, [...inputs], i === NODES - 1];
  },
  'outputs that are the readers of one value': () => ['Relu', ['x'], true],
  'constants that are outputs': () => ['Neg', ['c'], true],
  'constants that are folded': (i) =>
    i % 2 === 0 ? ['Neg', ['c'], false] : ['Add', [i === 1 ? 'x' : `v${i - 2}`, `v${i - 1}`], i === NODES - 1],
};

describe('program', () => {
  for (const [name, kind] of Object.entries(KINDS)) {
    it(`reads each node a number of times that does not depend on how many there are: ${name}`, () => {
      const reads = { count: 0 };
      const nodes: GraphNode[] = [];
      const outputs: ValueInfo[] = [];
      for (let i = 0; i < NODES; i++) {
        const [operator, inputs, returned] = kind(i);
        nodes.push(counted({ name: `v${i}`, operator, inputs, outputs: [`v${i}`], attributes: {} }, reads));
        const dims = inputs.includes('c') && operator === 'Neg' ? [2] : ['N', 2];
        if (returned) outputs.push(counted({ name: `v${i}`, dtype: 'float32', dims } as const, reads));
      }
      const initializers = new Map([
        ['w', floats([2, 2], [0.5, 0.25, 0.25, 0.5])],
        ['c', floats([2], [1, 2])],
      ]);
      const inputs = [{ name: 'x', dtype: 'float32', dims: ['N', 2] } as const];
      const graph = new Graph({ name: 'counted', opset: 17, inputs, outputs, nodes, initializers });
      const feeds = { x: floats([2, 2], [1, -2, 3, 4]) };
      const program = compile(prepare(graph), integer());
      assert.equal(program.run(feeds, { bits: uniformPolicy(graph, 'W8A8') }).size, outputs.length);
      assert.equal(runFloat(graph, feeds).size, outputs.length);
      program.dispose();
      assert.ok(reads.count > NODES && reads.count < READS_OF_EACH * NODES, `${reads.count / NODES} reads of each`);
    });
  }
});
