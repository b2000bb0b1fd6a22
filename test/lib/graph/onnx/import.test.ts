// Import: refusals are complete and clear, and no bytes do harm.
import assert from 'node:assert/strict';
import { mkdtemp, open, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { GraphBuilder } from '../../../../lib/graph/builder.js';
import { quantizableNodes } from '../../../../lib/graph/check.js';
import { GraphError, OnnxFormatError, UnsupportedOperatorsError } from '../../../../lib/graph/errors.js';
import { inferShapes } from '../../../../lib/graph/infer.js';
import { decodeModel } from '../../../../lib/graph/onnx/codec.js';
import { exportModel } from '../../../../lib/graph/onnx/export.js';
import { graphFromModel, importModel, loadModel } from '../../../../lib/graph/onnx/import.js';
import { fromBigInt, type NodeProto, type TensorProto } from '../../../../lib/graph/onnx/messages.js';
import { tensorToProto } from '../../../../lib/graph/onnx/tensors.js';
import { floats, integers } from '../../../../lib/tensor/host_tensor.js';
import { load, model } from '../../../support/onnx_model.js';

const relu: NodeProto = { opType: 'Relu', name: 'r', input: ['x'], output: ['y'] };

describe('importing', () => {
  it('lists every unsupported node at once, with the reason', () => {
    const alpha = { name: 'alpha', type: 1, f: 1 };
    const nodes: NodeProto[] = [
      { opType: 'Loop', name: 'e', input: ['x'], output: ['a'] },
      { opType: 'Attention', domain: 'com.microsoft', input: ['a'], output: ['b'] },
      { opType: 'Gelu', name: 'gelu', input: ['b'], output: ['c'] },
      { opType: 'Relu', name: 'r', input: ['c'], output: ['d'], attribute: [{ name: 'alpha', type: 1, f: 1 }] },
      {
        opType: 'Softmax',
        name: 'k',
        input: ['d'],
        output: ['e'],
        attribute: [{ name: 'axis', type: 2, i: { low: 0, high: 2 ** 30, unsigned: false } }],
      },
      { opType: 'Neg', name: 'n', input: ['e'], output: ['f'], attribute: [alpha, alpha] },
      { opType: 'If', name: 'if', output: ['y'], attribute: [{ name: 'then_branch', type: 5 }] },
    ];
    assert.throws(
      () => load(model(nodes)),
      (error: Error) => {
        assert.ok(error instanceof UnsupportedOperatorsError);
        assert.equal(
          error.message,
          [
            'm.onnx: 7 unsupported nodes',
            '  Loop (e)',
            '  com.microsoft.Attention (Attention_1)',
            '  Gelu (gelu): expected operator set 20 or later, received 17',
            '  Relu (r): attribute alpha is not supported',
            '  Softmax (k): attribute axis holds an integer beyond ±2^53',
            '  Neg (n): attribute alpha is given twice',
            '  If (if): attribute then_branch is of a kind that is not supported (5)',
          ].join('\n'),
        );
        return true;
      },
    );
  });

  const refusals: [string, RegExp, () => unknown][] = [
    ['a newer operator set', /m\.onnx: expected operator set 1 to 26, received 27/, () => load(model([relu], {}, 27))],
    [
      'a dimension of 2^62',
      /input "x": expected dimensions of at most 9007199254740991, received 4611686018427387904/,
      () => {
        const dim = [{ dimValue: fromBigInt(1n << 62n) }];
        return load(model([relu], { input: [{ name: 'x', type: { tensorType: { elemType: 1, shape: { dim } } } }] }));
      },
    ],
    [
      'no operator set',
      /expected one version/,
      () => load({ ...model([relu]), opsetImport: [{ domain: 'x', version: 1 }] }),
    ],
    [
      'external data',
      /tensor "w": expected one file with its weights inside, received data in "w.bin"/,
      () =>
        load(
          model([relu], {
            initializer: [
              {
                name: 'w',
                dims: [1],
                dataType: 1,
                dataLocation: 1,
                externalData: [{ key: 'location', value: 'w.bin' }],
              },
            ],
          }),
        ),
    ],
    ['sparse weights', /sparse initializers/, () => load(model([relu], { sparseInitializer: [{}] }))],
    [
      'a sequence as input',
      /input "x": expected a tensor/,
      () => load(model([relu], { input: [{ name: 'x', type: {} }] })),
    ],
    [
      'a broken graph',
      /m\.onnx: Relu \(r\): nothing produces its input "z"/,
      () => load(model([{ ...relu, input: ['z'] }])),
    ],
  ];
  for (const [what, pattern, action] of refusals) {
    it(`refuses ${what}, naming the file`, () => {
      assert.throws(action, (error: Error) => {
        assert.ok(error instanceof OnnxFormatError || error instanceof GraphError);
        assert.match(error.message, pattern);
        return true;
      });
    });
  }

  it('refuses a file over 2 GiB without reading it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'faultline-'));
    try {
      const path = join(folder, 'huge.onnx');
      await (await open(path, 'w')).close();
      await truncate(path, 2 ** 31 + 1);
      await assert.rejects(
        loadModel(path),
        /huge\.onnx: expected at most 2147483648 bytes of a file .* received 2147483649/,
      );
      await writeFile(path, '');
      await assert.rejects(loadModel(path), /huge\.onnx: expected an ONNX file, received an empty file/);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('refuses nodes that compute as in training, unless that changes nothing', () => {
    const scalar = (name: string, value: number): TensorProto => ({ ...tensorToProto(floats([], [value]), name) });
    const yes = { name: 'yes', dims: [], dataType: 9, rawData: Uint8Array.of(1) };
    const dropout = (ratio: number) =>
      load(
        model([{ opType: 'Dropout', name: 'd', input: ['x', 'ratio', 'yes'], output: ['y'] }], {
          initializer: [scalar('ratio', ratio), yes],
        }),
      );
    assert.equal(dropout(0).graph.nodes.length, 1);
    const message = /\(d\): expected inference, received training mode: .*model\.eval\(\)/;
    assert.throws(() => dropout(0.5), message);
    const statistics = ['a', 'b', 'c', 'd'].map((name) => tensorToProto(floats([3], [1, 1, 1]), name));
    const attribute = [{ name: 'training_mode', type: 2, i: 1 }];
    const norm = {
      opType: 'BatchNormalization',
      name: 'd',
      input: ['x', 'a', 'b', 'c', 'd'],
      output: ['y'],
      attribute,
    };
    assert.throws(() => load(model([norm], { initializer: statistics })), message);
  });

  it('folds weights that a file computes, and leaves them on request', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'faultline-'));
    try {
      const builder = new GraphBuilder('half');
      const codes = builder.initializer('codes', { dtype: 'float16', dims: [2, 1], data: Float32Array.of(0.5, 2) });
      const weight = builder.node('cast', 'Cast', [codes], { attributes: { to: 1 } });
      builder.output(builder.node('y', 'MatMul', [builder.input('x', ['N', 2]), weight]));
      const path = join(folder, 'half.onnx');
      await writeFile(path, exportModel(builder.build()));
      const { graph, notes } = await loadModel(path);
      assert.deepEqual(
        quantizableNodes(graph).map(({ name }) => name),
        ['y'],
      );
      assert.deepEqual(notes, [
        '1 weights, inputs and outputs of half precision are float32',
        '1 nodes of constants alone are initializers now',
      ]);
      assert.equal((await loadModel(path, { raw: true })).graph.nodes.length, 2);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('gives nameless and doubly named nodes unique names, and says so', () => {
    const nodes: NodeProto[] = [
      { opType: 'Relu', input: ['x'], output: ['a'] },
      { opType: 'Relu', name: 'r', input: ['a'], output: ['b'] },
      { opType: 'Relu', name: 'r', input: ['b'], output: ['c'] },
      { opType: 'Relu', name: 'Relu_0', input: ['c'], output: ['y'] },
    ];
    const { graph, notes } = load(model(nodes));
    assert.deepEqual(
      graph.nodes.map(({ name }) => name),
      ['Relu_0_', 'r', 'Relu_2', 'Relu_0'],
    );
    assert.deepEqual(notes, ['a second node named "r" is "Relu_2" now']);
  });

  it('sorts nodes that read values of later ones, and says so', () => {
    const nodes: NodeProto[] = [
      { opType: 'Add', name: 'd', input: ['b', 'c'], output: ['y'] },
      { opType: 'Relu', name: 'a', input: ['x'], output: ['a'] },
      { opType: 'Neg', name: 'c', input: ['b'], output: ['c'] },
      { opType: 'Relu', name: 'b', input: ['a'], output: ['b'] },
    ];
    const { graph, notes } = load(model(nodes));
    assert.deepEqual(
      graph.nodes.map(({ name }) => name),
      ['a', 'b', 'c', 'd'],
    );
    assert.deepEqual(notes, ['nodes that read values of later ones are sorted: each comes after those that it reads']);
    const long = Array.from({ length: 3_000 }, (_, i) => ({ opType: 'Relu', input: [`v${i}`], output: [`v${i + 1}`] }));
    const renamed = { input: model([]).graph?.input?.map((value) => ({ ...value, name: 'v0' })) ?? [] };
    const output = [{ name: 'v3000', type: { tensorType: { elemType: 1 } } }];
    assert.equal(load(model([...long].reverse(), { ...renamed, output })).graph.nodes.length, 3_000);
  });

  it('takes initializers listed as inputs for constants, and says so', () => {
    const w = { name: 'w', dims: [1], dataType: 1, rawData: new Uint8Array(4) };
    const proto = model([{ opType: 'Add', name: 'a', input: ['x', 'w'], output: ['y'] }], { initializer: [w] });
    proto.graph?.input?.push({ name: 'w', type: { tensorType: { elemType: 1 } } });
    const { graph, notes } = load(proto);
    assert.deepEqual(
      graph.inputs.map(({ name }) => name),
      ['x'],
    );
    assert.deepEqual(notes, ['1 inputs have an initializer as their default: they become constants']);
  });
});

describe('hostile models', () => {
  /** A whole network in little: every kind of field, a constant shape, a named dimension. */
  const builder = new GraphBuilder('small');
  const x = builder.input('x', ['N', 2, 5, 5]);
  const w = builder.initializer('w', floats([3, 2, 3, 3], new Float32Array(54)));
  const conv = builder.node('conv', 'Conv', [x, w], { attributes: { pads: [1, 1, 1, 1], strides: [2, 2] } });
  const pool = builder.node('pool', 'MaxPool', [conv], {
    attributes: { kernel_shape: [2, 2], auto_pad: 'SAME_LOWER' },
  });
  const shape = builder.initializer('shape', integers([0, -1]));
  const flat = builder.node('flat', 'Reshape', [pool, shape]);
  builder.output(builder.node('soft', 'Softmax', [flat], { attributes: { axis: 1 } }));
  const bytes = exportModel(builder.build());

  function survives(candidate: Uint8Array): void {
    try {
      const { graph } = importModel(candidate, 'fuzz');
      inferShapes(graph);
      exportModel(graph);
    } catch (error) {
      const named =
        error instanceof OnnxFormatError || error instanceof UnsupportedOperatorsError || error instanceof GraphError;
      assert.ok(named, String((error as Error).stack));
    }
  }

  it('are refused with an error that names the place, wherever they are cut off', () => {
    for (let length = 0; length < bytes.length; length++) survives(bytes.subarray(0, length));
  });

  it('are refused, or read, whatever bytes are changed', () => {
    const edit = fc.tuple(fc.nat(bytes.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 5 }), (edits) => {
        const copy = Uint8Array.from(bytes);
        for (const [position, value] of edits) copy[position] = value;
        survives(copy);
      }),
      { numRuns: 4000 },
    );
  });

  it('cannot make inference compute for long: a pool of 2^30 on a constant', () => {
    const huge = 2 ** 30;
    const attribute = [
      { name: 'kernel_shape', type: 7, ints: [huge] },
      { name: 'pads', type: 7, ints: [huge, huge] },
      { name: 'strides', type: 7, ints: [2 ** 31 - 1] },
    ];
    const initializer = [{ name: 'c', dims: [1, 1, 1], dataType: 6, rawData: new Uint8Array(4) }];
    const node: NodeProto = { opType: 'MaxPool', name: 'p', input: ['c'], output: ['y'], attribute };
    const { graph } = load(
      model([node], { initializer, output: [{ name: 'y', type: { tensorType: { elemType: 6 } } }] }),
    );
    assert.deepEqual(inferShapes(graph).get('y')?.dims, [1, 1, 1]);
  });

  it('cannot have a million dimensions, or an endless list of errors', () => {
    const dims = new Array<number>(1000).fill(1);
    const initializer = [{ name: 'c', dims, dataType: 1, rawData: new Uint8Array(4) }];
    assert.throws(
      () => load(model([relu], { initializer })),
      /tensor "c": expected at most 64 dimensions, received 1000/,
    );
    const type = { tensorType: { elemType: 1, shape: { dim: dims.map((dimValue) => ({ dimValue })) } } };
    assert.throws(
      () => load(model([relu], { input: [{ name: 'x', type }] })),
      /input "x": expected at most 64 dimensions/,
    );
    const unknown = Array.from({ length: 1500 }, (): NodeProto => ({ opType: 'Bad', input: ['x'], output: [] }));
    assert.throws(() => load(model(unknown)), /1500 unsupported nodes\n( .*\n){1000} {2}… and 500 more$/);
  });

  it('leave the decoded message usable: decodeModel and graphFromModel are separate steps', () => {
    assert.deepEqual(graphFromModel(decodeModel(bytes), 'x').graph, importModel(bytes).graph);
  });
});
