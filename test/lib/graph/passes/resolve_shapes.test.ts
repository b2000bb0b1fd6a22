// What exporters compute from shapes becomes constants, the batch stays open, and inputs can be pinned.

import assert from 'node:assert/strict';
import { sizeOf } from '../../../../lib/core/shape.js';
import { GraphBuilder } from '../../../../lib/graph/builder.js';
import { GraphError } from '../../../../lib/graph/errors.js';
import { inferShapes } from '../../../../lib/graph/infer.js';
import { exportModel } from '../../../../lib/graph/onnx/export.js';
import { importModel } from '../../../../lib/graph/onnx/import.js';
import { simplify } from '../../../../lib/graph/passes/index.js';
import { pinInputs } from '../../../../lib/graph/pin_inputs.js';
import { runReference } from '../../../../lib/graph/reference.js';
import { runFloat } from '../../../../lib/runtime/backends/float.js';
import { floats, integers } from '../../../../lib/tensor/host_tensor.js';

/** x.view(x.size(0), -1) and x.expand(size(0), …) as PyTorch exports them: channel shuffle, then a class token. */
function exported() {
  const b = new GraphBuilder('exported', 17);
  const x = b.input('x', ['N', 4, 'H', 3]);
  const shape = b.node('shape', 'Shape', [x]);
  const at = (index: number) =>
    b.node(`size${index}`, 'Gather', [shape, b.initializer(`i${index}`, integers([index]))], {
      attributes: { axis: 0 },
    });
  const [batch, height] = [at(0), at(2)];
  const groups = b.initializer('groups', integers([2, 2]));
  const width = b.initializer('width', integers([3]));
  const split = b.node('split', 'Concat', [batch, groups, height, width], { attributes: { axis: 0 } });
  const parts = b.node('parts', 'Reshape', [x, split]);
  const swapped = b.node('swapped', 'Transpose', [parts], { attributes: { perm: [0, 2, 1, 3, 4] } });
  const joined = b.node('joined', 'Concat', [batch, b.initializer('four', integers([4])), height, width], {
    attributes: { axis: 0 },
  });
  const shuffled = b.node('shuffled', 'Reshape', [swapped, joined]);
  const token = b.initializer(
    'token',
    floats(
      [1, 4, 1, 3],
      Array.from({ length: 12 }, (_, i) => i),
    ),
  );
  const wanted = b.node('wanted', 'Concat', [batch, b.initializer('rest', integers([4, 1, 3]))], {
    attributes: { axis: 0 },
  });
  const tokens = b.node('tokens', 'Expand', [token, wanted]);
  b.output(b.node('out', 'Concat', [tokens, shuffled], { attributes: { axis: 2 } }));
  return b.build();
}

const feed = (...dims: number[]) => ({
  x: floats(
    dims,
    Array.from({ length: sizeOf(dims) }, (_, i) => Math.sin(i)),
  ),
});

describe('graphs that compute with shapes', () => {
  it('are inferred with their open dimensions by name', () => {
    const types = inferShapes(exported());
    assert.deepEqual(types.get('parts')?.dims, ['N', 2, 2, 'H', 3]);
    assert.deepEqual(types.get('tokens')?.dims, ['N', 4, 1, 3]);
    assert.equal(types.get('out')?.dims[0], 'N');
  });

  it('run on the float interpreter as they are, any batch after another', () => {
    const graph = exported();
    for (const dims of [
      [1, 4, 2, 3],
      [3, 4, 5, 3],
      [1, 4, 2, 3],
    ] as const) {
      const expected = runReference(graph, feed(...dims)).get('out');
      const actual = runFloat(graph, feed(...dims)).get('out');
      assert.deepEqual(actual?.dims, [dims[0], 4, dims[2] + 1, 3]);
      assert.deepEqual([...(actual?.data ?? [])], [...(expected?.data ?? [])]);
    }
  });

  it('lose what the pinned dimensions tell, and keep the batch open', () => {
    const { graph, log } = simplify(pinInputs(exported(), { x: ['N', 4, 5, 3] }));
    const names = graph.nodes.map(({ name }) => name);
    // The class token still has to be repeated for each sample; everything else is known.
    assert.deepEqual(names, ['shape', 'size0', 'parts', 'swapped', 'shuffled', 'wanted', 'tokens', 'out']);
    assert.deepEqual([...(graph.initializers.get('parts.shape')?.data ?? [])], [-1n, 2n, 2n, 5n, 3n]);
    assert.ok(log.some(({ node, what }) => node === 'size2' && what.includes('known from the shapes')));
    const expected = runReference(exported(), feed(3, 4, 5, 3)).get('out');
    assert.deepEqual(runReference(graph, feed(3, 4, 5, 3)).get('out'), expected);
  });

  it('lose every shape when all inputs are pinned', () => {
    const { graph } = simplify(importModel(exportModel(exported()), 'x', { inputs: { x: [2, 4, 5, 3] } }).graph);
    assert.deepEqual(
      graph.nodes.map(({ operator }) => operator),
      ['Reshape', 'Transpose', 'Reshape', 'Concat'],
    );
  });

  it('refuses shapes that an input cannot have, and inputs that are not there', () => {
    const refused = (shapes: Record<string, (number | string)[]>, message: RegExp) =>
      assert.throws(
        () => pinInputs(exported(), shapes),
        (error) => error instanceof GraphError && message.test(error.message),
      );
    refused({ y: [1] }, /input "y": expected one of x, received no such input/);
    refused({ x: [1, 5, 2, 3] }, /expected shape \[N,4,H,3\], received \[1,5,2,3\]/);
    refused({ x: [1, 4, -2, 3] }, /received \[1,4,-2,3\]/);
    refused({ x: [1, 4] }, /received \[1,4\]/);
  });

  it('says which sizes were tried where the network does not take every size', () => {
    const b = new GraphBuilder('fixed', 17);
    const x = b.input('x', ['N', 1, 'H', 'W']);
    const w = b.initializer('w', floats([1, 1, 3, 3], new Float32Array(9)));
    const y = b.node('conv', 'Conv', [x, w]);
    b.output(b.node('shape', 'Shape', [y]));
    assert.throws(() => inferShapes(b.build()), /Conv \(conv\).*with N = 1, H = 1, W = 1; set the inputs' dimensions/);
  });
});
