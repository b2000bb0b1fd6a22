// Import and export: the round trip is the identity, refusals are complete and clear, and no bytes do harm.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, open, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { GraphBuilder } from '../../../../lib/graph/builder.js';
import { OPERATORS } from '../../../../lib/graph/check.js';
import { GraphError, OnnxFormatError, UnsupportedOperatorsError } from '../../../../lib/graph/errors.js';
import { inferShapes } from '../../../../lib/graph/infer.js';
import { decodeModel, encodeModel, modelDigest } from '../../../../lib/graph/onnx/codec.js';
import { exportModel, modelOf, saveModel } from '../../../../lib/graph/onnx/export.js';
import { graphFromModel, importModel, loadModel } from '../../../../lib/graph/onnx/import.js';
import {
  type GraphProto,
  type ModelProto,
  type NodeProto,
  toSafeInteger,
} from '../../../../lib/graph/onnx/messages.js';
import { buildModel } from '../../../../lib/models/index.js';
import { floats, type HostTensor, hostTensor, integers } from '../../../../lib/tensor/host_tensor.js';
import { listTests, readModelBytes, readModelProto } from '../../../conformance/onnx_data.js';

/** A model of the given nodes on an input x of [2,3,4,4]. */
function model(node: NodeProto[], graph: GraphProto = {}, opset = 17): ModelProto {
  const dim = [2, 3, 4, 4].map((dimValue) => ({ dimValue }));
  return {
    irVersion: 8,
    opsetImport: [{ version: opset }],
    graph: {
      name: 'g',
      input: [{ name: 'x', type: { tensorType: { elemType: 1, shape: { dim } } } }],
      output: [{ name: 'y', type: { tensorType: { elemType: 1 } } }],
      node,
      ...graph,
    },
  };
}

const load = (proto: ModelProto) => importModel(encodeModel(proto), 'm.onnx');
const relu: NodeProto = { opType: 'Relu', name: 'r', input: ['x'], output: ['y'] };

describe('the round trip', () => {
  it('is the identity on every ONNX test of operator sets 13 to 21', () => {
    let count = 0;
    for (const category of ['node', 'pytorch-converted', 'pytorch-operator', 'simple']) {
      for (const test of listTests(category)) {
        const proto = readModelProto(category, test);
        const known = proto.graph?.node?.every(({ opType }) => OPERATORS.has(opType ?? ''));
        const current = (toSafeInteger(proto.opsetImport?.[0]?.version ?? 0) ?? 0) >= 13;
        if (!known || !current || proto.graph?.input?.some(({ type }) => !type?.tensorType)) continue;
        const { graph } = importModel(readModelBytes(category, test), test);
        const again = importModel(exportModel(graph), test);
        assert.deepEqual(again.graph, graph, test);
        assert.deepEqual(again.notes, [], test);
        count++;
      }
    }
    assert.ok(count > 80, `${count} models`);
  });

  it('keeps metadata, declared shapes, left-out inputs and odd bits', () => {
    const builder = new GraphBuilder('odd', 18);
    const high = builder.initializer('high', floats([], [6]));
    builder.output(builder.node('clip', 'Clip', [builder.input('x', ['N', '?', 3]), '', high]));
    const nan = new Float32Array(Uint32Array.of(0x7fc01234, 0x80000000).buffer);
    builder.initializer('nan', floats([2], nan));
    builder.initializer('int4', hostTensor('int4', [3], Int8Array.of(-8, 7, 1)));
    builder.initializer('half', hostTensor('float16', [1], Float32Array.of(0.5)));
    builder.initializer('text', hostTensor('string', [1], ['é']));
    builder.initializer('big', hostTensor('int64', [1], BigInt64Array.of(2n ** 62n + 1n)));
    const metadata = {
      irVersion: 9,
      producerName: 'p',
      producerVersion: '1',
      domain: 'd',
      modelVersion: 2n ** 60n + 1n,
      docString: 'doc',
      properties: { seed: '7' },
    };
    const values = new Map([['clip', { name: 'clip', dtype: 'float32' as const, dims: ['N', '?', 3] }]]);
    const graph = builder.build(metadata).with({ values });
    const { graph: again } = importModel(exportModel(graph));
    assert.deepEqual(again, graph);
    const copy = again.initializers.get('nan') as HostTensor<'float32'>;
    const bits = new Uint32Array(copy.data.buffer);
    assert.deepEqual(bits, Uint32Array.of(0x7fc01234, 0x80000000));
    assert.deepEqual(encodeModel(modelOf(again)), encodeModel(modelOf(graph)));
  });

  it('goes through a file, written whole or not at all', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'faultline-'));
    try {
      const path = join(folder, 'model.onnx');
      const graph = buildModel('convnet2');
      await saveModel(graph, path);
      assert.deepEqual(await readdir(folder), ['model.onnx']);
      assert.deepEqual((await loadModel(path)).graph.nodes, graph.nodes);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('importing', () => {
  it('lists every unsupported node at once, with the reason', () => {
    const nodes: NodeProto[] = [
      { opType: 'Einsum', name: 'e', input: ['x'], output: ['a'] },
      { opType: 'Attention', domain: 'com.microsoft', input: ['a'], output: ['b'] },
      { opType: 'Gelu', name: 'gelu', input: ['b'], output: ['c'] },
      { opType: 'Relu', name: 'r', input: ['c'], output: ['d'], attribute: [{ name: 'alpha', type: 1, f: 1 }] },
      {
        opType: 'Constant',
        name: 'k',
        output: ['e'],
        attribute: [{ name: 'value_int', type: 2, i: { low: 0, high: 2 ** 30, unsigned: false } }],
      },
      { opType: 'If', name: 'if', output: ['y'], attribute: [{ name: 'then_branch', type: 5 }] },
    ];
    assert.throws(
      () => load(model(nodes)),
      (error: Error) => {
        assert.ok(error instanceof UnsupportedOperatorsError);
        assert.equal(
          error.message,
          [
            'm.onnx: 6 unsupported nodes',
            '  Einsum (e)',
            '  com.microsoft.Attention (Attention_1)',
            '  Gelu (gelu): operator set 17 does not have it yet (it came with 20)',
            '  Relu (r): attribute alpha is not supported',
            '  Constant (k): attribute value_int holds an integer beyond ±2^53',
            '  If (if): attribute then_branch is of a kind that is not supported (5)',
          ].join('\n'),
        );
        return true;
      },
    );
  });

  const refusals: [string, RegExp, () => unknown][] = [
    ['a newer operator set', /m\.onnx: expected operator set 13 to 21, received 22/, () => load(model([relu], {}, 22))],
    [
      'no operator set',
      /imports no version/,
      () => load({ ...model([relu]), opsetImport: [{ domain: 'x', version: 1 }] }),
    ],
    [
      'external data',
      /tensor "w": its data lie in "w.bin"; expected one file/,
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
      await truncate(path, 2 ** 31);
      await assert.rejects(
        loadModel(path),
        /huge\.onnx: expected at most 2 GiB \(protobuf's limit\), received 2147483648 bytes/,
      );
      await writeFile(path, '');
      await assert.rejects(loadModel(path), /huge\.onnx: not an ONNX model/);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('gives nameless and doubly named nodes names of their own, and says so', () => {
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

  it('takes initializers listed as inputs for constants, and says so', () => {
    const w = { name: 'w', dims: [1], dataType: 1, rawData: new Uint8Array(4) };
    const proto = model([{ opType: 'Add', name: 'a', input: ['x', 'w'], output: ['y'] }], { initializer: [w] });
    proto.graph?.input?.push({ name: 'w', type: { tensorType: { elemType: 1 } } });
    const { graph, notes } = load(proto);
    assert.deepEqual(
      graph.inputs.map(({ name }) => name),
      ['x'],
    );
    assert.deepEqual(notes, ['1 inputs have an initializer as their default: they are constants now']);
  });

  it('upgrades operator sets before 13 node by node, and says so', () => {
    const nodes: NodeProto[] = [
      { opType: 'Clip', name: 'c', input: ['x'], output: ['a'], attribute: [{ name: 'max', type: 1, f: 6 }] },
      { opType: 'Softmax', name: 's', input: ['a'], output: ['y'], attribute: [{ name: 'axis', type: 2, i: 3 }] },
    ];
    const { graph, notes } = load(model(nodes, {}, 9));
    assert.equal(graph.opset, 13);
    assert.deepEqual(graph.node('c').inputs, ['x', '', 'c.max']);
    assert.deepEqual(graph.initializers.get('c.max'), floats([], [6]));
    assert.equal(notes.length, 2);
    assert.throws(
      () => load(model([{ opType: 'Softmax', name: 's', input: ['x'], output: ['y'] }], {}, 9)),
      /Softmax \(s\): before operator set 13: softmax over several dimensions/,
    );
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

  it('are refused with an error of ours wherever they are cut off', () => {
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

  it('cannot make inference compute for long: a pool of 2^40 on a constant', () => {
    const huge = 2 ** 40;
    const attribute = [
      { name: 'kernel_shape', type: 7, ints: [huge] },
      { name: 'pads', type: 7, ints: [huge, huge] },
      { name: 'strides', type: 7, ints: [huge * 4] },
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

describe('weights beside the model', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'faultline-external-'));
  });
  after(() => rm(folder, { recursive: true }));

  const values = Float32Array.of(1, -2, 3);
  /** y = x * w, w in another file; saved in the folder. */
  async function save(entries: Readonly<Record<string, string>>): Promise<string> {
    const externalData = Object.entries(entries).map(([key, value]) => ({ key, value }));
    const proto = model([{ opType: 'Mul', name: 'm', input: ['x', 'w'], output: ['y'] }], {
      initializer: [{ name: 'w', dims: [3, 1, 1], dataType: 1, dataLocation: 1, externalData }],
    });
    const path = join(folder, 'm.onnx');
    await writeFile(path, encodeModel(proto));
    return path;
  }

  it('are read, all of a file or a part, and count in the digest', async () => {
    await mkdir(join(folder, 'sub'), { recursive: true });
    await writeFile(join(folder, 'sub', 'w.bin'), Buffer.concat([Buffer.alloc(64), new Uint8Array(values.buffer)]));
    await writeFile(join(folder, 'w'), new Uint8Array(values.buffer));
    for (const entries of [
      { location: 'sub/w.bin', offset: '64', length: '12' },
      { location: 'sub/w.bin', offset: '64' },
      { location: 'w' },
    ]) {
      const { graph } = await loadModel(await save(entries));
      assert.deepEqual(graph.initializers.get('w'), hostTensor('float32', [3, 1, 1], values));
    }
    const path = join(folder, 'm.onnx');
    const digest = await modelDigest(path);
    assert.equal(await modelDigest(path), digest);
    await writeFile(join(folder, 'w'), new Uint8Array(12));
    assert.notEqual(await modelDigest(path), digest);
  });

  it('are refused outside the folder, missing, too short, or at a place that is none', async () => {
    await writeFile(join(folder, 'short.bin'), new Uint8Array(8));
    const cases: [Record<string, string>, RegExp][] = [
      [{ location: '../w.bin' }, /tensor "w": its data lie in "..\/w.bin"; expected a file in the model's folder/],
      [{ location: 'a/../../w.bin' }, /expected a file in the model's folder/],
      [{ location: '/etc/passwd' }, /expected a file in the model's folder/],
      [{ location: 'C:\\w.bin' }, /expected a file in the model's folder/],
      [{}, /expected a file in the model's folder/],
      [{ location: 'absent.bin' }, /"absent.bin": there is no such file beside the model/],
      [{ location: 'short.bin' }, /expected 12 bytes for float32 \[3,1,1\], received 8/],
      [{ location: 'short.bin', length: '12' }, /expected 12 bytes .* at 0 of "short.bin", received a file of 8 bytes/],
      [{ location: 'short.bin', offset: '9' }, /received a file of 8 bytes/],
      [{ location: 'short.bin', offset: '-4' }, /expected offset of its data in bytes, received "-4"/],
      [{ location: 'short.bin', length: '99999999999' }, /at most 2 GiB/],
      [{ location: '.' }, /received no file/],
    ];
    for (const [entries, message] of cases) {
      const path = await save(entries);
      await assert.rejects(
        loadModel(path),
        (error) => error instanceof OnnxFormatError && error.message.startsWith(path) && message.test(error.message),
        JSON.stringify(entries),
      );
    }
  });
});
