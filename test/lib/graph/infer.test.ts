// Shapes are inferred, also with named dimensions; what does not fit is refused with the node's name.
import assert from 'node:assert/strict';
import { GraphBuilder } from '../../../lib/graph/builder.js';
import type { AttributeValue } from '../../../lib/graph/graph.js';
import { inferShapes } from '../../../lib/graph/infer.js';
import { type HostTensor, integers, zeros } from '../../../lib/tensor/host_tensor.js';
import { graphOf, node, refuses } from '../../support/graphs.js';

/** The inferred shape of one operator's first output. */
function shapeOf(
  operator: string,
  inputs: readonly (readonly (number | string)[] | HostTensor)[],
  attributes: Record<string, AttributeValue> = {},
  opset = 20,
): readonly (number | string)[] {
  const builder = new GraphBuilder('test', opset);
  const names = inputs.map((input, index) => {
    return 'dtype' in input ? builder.initializer(`c${index}`, input) : builder.input(`x${index}`, input);
  });
  return builder.typeOf(builder.node('node', operator, names, { attributes })).dims;
}

describe('shape inference', () => {
  const image = ['N', 3, 32, 32];
  const kernel = zeros('float32', [16, 3, 3, 3]);
  const cases: [string, readonly (number | string)[], () => readonly (number | string)[]][] = [
    [
      'keeps a named batch through Conv',
      ['N', 16, 32, 32],
      () => shapeOf('Conv', [image, kernel], { pads: [1, 1, 1, 1] }),
    ],
    [
      'takes stride and dilation',
      ['N', 16, 14, 14],
      () => shapeOf('Conv', [image, kernel], { strides: [2, 2], dilations: [2, 2] }),
    ],
    [
      'rounds up with ceil_mode',
      ['N', 3, 16, 16],
      () => shapeOf('MaxPool', [image], { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 }),
    ],
    [
      'drops a last window in the padding',
      [1, 1, 2],
      () => shapeOf('MaxPool', [[1, 1, 3]], { kernel_shape: [1], strides: [2], pads: [0, 1], ceil_mode: 1 }),
    ],
    [
      'counts a first window that reaches over the end with ceil_mode',
      [1, 1, 1, 1],
      () => shapeOf('MaxPool', [[1, 1, 2, 2]], { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 }),
    ],
    [
      'slices backwards from the first element where the start is before it',
      [1, 0],
      () =>
        shapeOf('Slice', [
          [3, 3],
          ...[
            [-4, -3],
            [-5, 0],
            [0, 1],
            [-2, -2],
          ].map((list) => integers(list)),
        ]),
    ],
    ['leaves unknown sizes unknown', ['N', 16, '?', '?'], () => shapeOf('Conv', [['N', 3, 'H', 'W'], kernel])],
    [
      'pads to the same size',
      ['N', 16, 16, 16],
      () => shapeOf('Conv', [image, kernel], { auto_pad: 'SAME_UPPER', strides: [2, 2] }),
    ],
    ['flattens around a name', ['N', 3072], () => shapeOf('Flatten', [image])],
    ['fills −1 in Reshape around a name', ['N', 3072], () => shapeOf('Reshape', [image, integers([0, -1])])],
    ['fills −1 with the name', ['N', 3072], () => shapeOf('Reshape', [image, integers([-1, 3072])])],
    [
      'broadcasts names with one',
      ['N', 4, 5],
      () =>
        shapeOf('Add', [
          ['N', 1, 5],
          [4, 1],
        ]),
    ],
    ['multiplies batches', ['N', 8, 5, 7], () => shapeOf('MatMul', [['N', 8, 5, 6], zeros('float32', [6, 7])])],
    ['drops the dimension of a vector', [5], () => shapeOf('MatMul', [[5, 6], zeros('float32', [6])])],
    [
      'adds up Concat',
      ['N', 7, 2],
      () =>
        shapeOf(
          'Concat',
          [
            ['N', 3, 2],
            ['N', 4, 2],
          ],
          { axis: 1 },
        ),
    ],
    ['reads Pad from a constant', ['N', 3, 34, 36], () => shapeOf('Pad', [image, integers([0, 0, 1, 2, 0, 0, 1, 2])])],
    [
      'reduces the axes of an input',
      ['N', 3],
      () => shapeOf('ReduceMean', [image, integers([2, -1])], { keepdims: 0 }),
    ],
    ['gathers', ['N', 7, 64], () => shapeOf('Gather', [['N', 100, 64], integers([0, 1, 2, 3, 4, 5, 6])], { axis: 1 })],
  ];
  for (const [what, expected, actual] of cases) it(what, () => assert.deepEqual(actual(), expected));

  it('follows constant shapes through other nodes', () => {
    const builder = new GraphBuilder('test');
    const x = builder.input('x', ['N', 4, 4]);
    const parts = [builder.initializer('zero', integers([0])), builder.initializer('rest', integers([-1]))];
    const shape = builder.node('shape', 'Concat', parts, { attributes: { axis: 0 } });
    assert.deepEqual(builder.typeOf(builder.node('flat', 'Reshape', [x, shape])).dims, ['N', 16]);
  });

  const refusals: [string, RegExp, () => unknown][] = [
    [
      'channels',
      /^Conv \(node\): weight has 3 input channels in each of 1 groups, input has 4/,
      () => shapeOf('Conv', [[1, 4, 8, 8], kernel]),
    ],
    ['groups', /16 output channels do not divide/, () => shapeOf('Conv', [[1, 9, 8, 8], kernel], { group: 3 })],
    ['a window too large', /does not fit the input \[2,2\]/, () => shapeOf('Conv', [[1, 3, 2, 2], kernel])],
    ['a wrong number of pads', /pads: expected 4 integers/, () => shapeOf('Conv', [image, kernel], { pads: [1, 1] })],
    [
      'inner sizes of a product',
      /A has 5 columns, B has 6 rows/,
      () => shapeOf('Gemm', [[2, 5], zeros('float32', [6, 3])]),
    ],
    [
      'a bias that does not fit',
      /does not broadcast/,
      () => shapeOf('Gemm', [[2, 5], zeros('float32', [5, 3]), zeros('float32', [4])]),
    ],
    [
      'shapes that do not broadcast',
      /^Add \(node\): shapes \[2,3\] and \[4\] do not broadcast/,
      () => shapeOf('Add', [[2, 3], [4]]),
    ],
    [
      'a reshape that loses elements',
      /cannot reshape \[2,3\] to \[4\]/,
      () => shapeOf('Reshape', [[2, 3], integers([4])]),
    ],
    ['an axis out of range', /axis 2 is outside a tensor of rank 2/, () => shapeOf('Softmax', [[2, 3]], { axis: 2 })],
    [
      'a perm that is none',
      /perm \[0,0\] is not a permutation/,
      () => shapeOf('Transpose', [[2, 3]], { perm: [0, 0] }),
    ],
    ['an unknown attribute', /attribute color is not supported/, () => shapeOf('Relu', [[1]], { color: 1 })],
    ['an attribute of another kind', /attribute axis: expected int/, () => shapeOf('Softmax', [[1]], { axis: 0.5 })],
    [
      'an attribute that became an input',
      /attribute axes: expected operator set 17 or earlier, received 20/,
      () => shapeOf('ReduceMean', [[1]], { axes: [0] }),
    ],
    [
      'an input that was an attribute',
      /input 1: expected operator set 18 or later, received 17/,
      () => shapeOf('ReduceMean', [[1], integers([0])], {}, 17),
    ],
    ['missing inputs', /expected 2 inputs, received 1/, () => shapeOf('Add', [[1]])],
    [
      'an operator that the set lacks',
      /expected operator set 20 or later, received 17/,
      () => shapeOf('Gelu', [[1]], {}, 17),
    ],
    ['an operator that we lack', /Loop \(node\): unknown operator/, () => shapeOf('Loop', [[1]])],
    [
      'a result too large to hold',
      /its output would have the shape/,
      () =>
        shapeOf('Add', [
          [65536, 1, 65536],
          [65536, 1],
        ]),
    ],
  ];
  for (const [what, pattern, action] of refusals)
    it(`refuses ${what}, naming the node`, () => refuses(action, pattern));

  it('takes the sizes of inputs from its caller, and checks declared outputs', () => {
    const graph = graphOf([node('a', ['x'], ['y'])]);
    assert.deepEqual(inferShapes(graph, { inputs: { x: [8, 4] } }).get('y')?.dims, [8, 4]);
    refuses(() => inferShapes(graph, { inputs: { x: [8, 5] } }), /input "x": expected shape \[N,4\], received \[8,5\]/);
    const wrong = graphOf([node('a', ['x'], ['y'])], { outputs: [{ name: 'y', dtype: 'float32', dims: ['N', 5] }] });
    refuses(() => inferShapes(wrong), /output "y": expected float32 \[N,5\] as declared, received float32 \[N,4\]/);
  });
});
