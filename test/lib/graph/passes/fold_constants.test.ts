// Folding constants: the same function with fewer nodes, a log of what was rewritten, and a bound on memory.
import assert from 'node:assert/strict';
import { GraphBuilder } from '../../../../lib/graph/builder.js';
import { quantizableNodes } from '../../../../lib/graph/check.js';
import type { Graph } from '../../../../lib/graph/graph.js';
import { foldConstants } from '../../../../lib/graph/passes/fold_constants.js';
import { runReference } from '../../../../lib/graph/reference.js';
import { floats, type HostTensor, integers } from '../../../../lib/tensor/host_tensor.js';

const operators = (graph: Graph) => graph.nodes.map(({ operator }) => operator);
const output = (graph: Graph, x: HostTensor) =>
  runReference(graph, { x }).get(graph.outputs[0]?.name ?? '') as HostTensor;

describe('folding constants', () => {
  function graphWithConstants(): Graph {
    const builder = new GraphBuilder('test');
    const x = builder.input('x', ['N', 2, 2]);
    const shape = builder.node('shape', 'Constant', [], { attributes: { value_ints: [0, 4] } });
    const one = builder.node('one', 'Constant', [], { attributes: { value: floats([4], [1, 1, 1, 1]) } });
    const w = builder.initializer('w', floats([4], [1, 2, 3, 4]));
    const sum = builder.node('sum', 'Add', [w, one]);
    builder.output(builder.node('y', 'Mul', [builder.node('flat', 'Reshape', [x, shape]), sum]));
    return builder.build();
  }

  it('computes what no input reaches, drops what nothing reads, and logs it', () => {
    const graph = graphWithConstants();
    const { graph: folded, log } = foldConstants(graph);
    assert.deepEqual(operators(folded), ['Reshape', 'Mul']);
    assert.deepEqual([...folded.initializers.keys()], ['shape', 'sum']);
    assert.deepEqual(folded.initializers.get('shape'), integers([0, 4]));
    assert.deepEqual(folded.initializers.get('sum'), floats([4], [2, 3, 4, 5]));
    assert.deepEqual(
      log.map(({ node }) => node),
      ['shape', 'one', 'sum'],
    );
    const x = floats([1, 2, 2], [1, 1, 1, 1]);
    assert.deepEqual(output(folded, x), output(graph, x));
  });

  it('leaves a constant output to its node', () => {
    const builder = new GraphBuilder('test');
    builder.output(builder.node('y', 'Constant', [], { attributes: { value_float: 1 } }));
    assert.deepEqual(operators(foldConstants(builder.build()).graph), ['Constant']);
  });

  it('folds what a weight is made of whatever else has used up', () => {
    const builder = new GraphBuilder('test');
    const x = builder.input('x', ['N', 4]);
    const shape = builder.initializer('shape', integers([2 ** 13, 2 ** 13]));
    const mask = builder.node('mask', 'ConstantOfShape', [shape], {
      attributes: { value: { dtype: 'uint8', dims: [1], data: Uint8Array.of(0) } },
    });
    const wide = builder.node('wide', 'ReduceMax', [builder.node('half', 'Cast', [mask], { attributes: { to: 1 } })], {
      attributes: { keepdims: 0 },
    });
    const codes = builder.initializer('codes', {
      dtype: 'int8',
      dims: [4, 2],
      data: Int8Array.of(1, 2, 3, 4, 5, 6, 7, 8),
    });
    const weight = builder.node('weight', 'Cast', [codes], { attributes: { to: 1 } });
    builder.output(builder.node('y', 'Add', [builder.node('fc', 'MatMul', [x, weight]), wide]));
    const { graph } = foldConstants(builder.build());
    assert.deepEqual(
      quantizableNodes(graph).map(({ name }) => name),
      ['fc'],
    );
    assert.deepEqual(operators(graph), ['Cast', 'ReduceMax', 'MatMul', 'Add']);
  });

  it('stops before a small file fills the memory: doublings of a constant, again and again', () => {
    const builder = new GraphBuilder('test');
    let value = builder.initializer('w', floats([1], [1]));
    const concat = (name: string, inputs: string[]) =>
      builder.node(name, 'Concat', inputs, { attributes: { axis: 0 } });
    for (let i = 0; i < 22; i++) value = concat(`double${i}`, [value, value]);
    const copies = Array.from({ length: 40 }, (_, i) => concat(`copy${i}`, [value, value]));
    builder.output(concat('y', copies));
    const { graph, log } = foldConstants(builder.build());
    assert.ok(log.length > 22 && graph.nodes.length > 30, `${log.length} folded`);
  });
});
