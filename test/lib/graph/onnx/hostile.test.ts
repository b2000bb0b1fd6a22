// Files that mean harm: graphs that do not hold together, shapes computed to be enormous, paths that leave the folder,
// and thousands of seeded edits of a network that computes with shapes. Each is refused by name, or read.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { GraphError, OnnxFormatError, UnsupportedOperatorsError } from '../../../../lib/graph/errors.js';
import { inferShapes } from '../../../../lib/graph/infer.js';
import { decodeModel, encodeModel } from '../../../../lib/graph/onnx/codec.js';
import { graphFromModel } from '../../../../lib/graph/onnx/import.js';
import type { GraphProto, ModelProto, NodeProto, TensorProto } from '../../../../lib/graph/onnx/messages.js';
import { simplify } from '../../../../lib/graph/passes/index.js';

const FLOAT = 1;
const INT64 = 7;
const INT = 2;

const value = (name: string, dims: number[], elemType = FLOAT) => ({
  name,
  type: { tensorType: { elemType, shape: { dim: dims.map((dimValue) => ({ dimValue })) } } },
});
const integers = (name: string, values: readonly number[]): TensorProto => ({
  name,
  dims: [values.length],
  dataType: INT64,
  rawData: new Uint8Array(BigInt64Array.from(values, BigInt).buffer),
});

function model(node: NodeProto[], graph: Partial<GraphProto> = {}): ModelProto {
  const input = [value('x', [1, 4])];
  const output = [{ name: 'y', type: { tensorType: { elemType: FLOAT } } }];
  return { irVersion: 8, opsetImport: [{ version: 17 }], graph: { name: 'hostile', input, output, node, ...graph } };
}

/** Imports, infers and simplifies. */
function read(proto: ModelProto): void {
  const { graph } = graphFromModel(decodeModel(encodeModel(proto)), 'hostile.onnx');
  inferShapes(graph);
  simplify(graph);
}

const relu = (name: string, from: string, to: string): NodeProto => ({
  name,
  opType: 'Relu',
  input: [from],
  output: [to],
});

describe('hostile ONNX graphs', () => {
  it('are refused when nodes read each other in a circle, or themselves', () => {
    assert.throws(
      () => read(model([relu('a', 'v', 'u'), relu('b', 'u', 'v'), relu('c', 'v', 'y')])),
      /hostile\.onnx: Relu \(b\): expected nodes without a cycle, received one through "v"/,
    );
    assert.throws(() => read(model([relu('a', 'y', 'y')])), /Relu \(a\): expected nodes without a cycle/);
  });

  it('are refused when a name is used twice or nothing produces it', () => {
    assert.throws(() => read(model([relu('a', 'x', 'y'), relu('b', 'x', 'y')])), /value "y" is defined twice/);
    const twice = [integers('c', [1]), integers('c', [2])];
    assert.throws(() => read(model([relu('a', 'x', 'y')], { initializer: twice })), /two initializers are named "c"/);
    assert.throws(() => read(model([relu('a', 'z', 'y')])), /nothing produces its input "z"/);
    const constant: NodeProto = {
      opType: 'Constant',
      output: ['c'],
      attribute: [{ name: 'value_float', type: 1, f: 1 }],
    };
    assert.throws(() => read(model([constant, constant, relu('a', 'x', 'y')])), /"c" is defined twice/);
  });

  it('are refused when data lie in another file, wherever that is', () => {
    for (const location of ['weights.bin', '../../etc/passwd', '/etc/passwd', 'C:\\weights']) {
      const tensor: TensorProto = {
        name: 'w',
        dims: [4],
        dataType: FLOAT,
        dataLocation: 1,
        externalData: [{ key: 'location', value: location }],
      };
      assert.throws(
        () => read(model([relu('a', 'x', 'y')], { initializer: [tensor] })),
        (error) => error instanceof OnnxFormatError && error.message.includes(`received data in "${location}"`),
      );
    }
  });

  it('are refused when dimensions are negative, enormous, or not what the bytes hold', () => {
    const sizes = [[-1], [2 ** 40], [65536, 65536, 65536], [3]];
    for (const dims of sizes) {
      const tensor: TensorProto = { name: 'w', dims, dataType: FLOAT, rawData: new Uint8Array(16) };
      assert.throws(() => read(model([relu('a', 'x', 'y')], { initializer: [tensor] })), /tensor "w": /);
    }
  });

  it('cannot ask for more memory than a tensor may have by computing a shape', () => {
    const huge = integers('huge', [2 ** 20, 2 ** 20]);
    const from = (opType: string, ...input: string[]): NodeProto => ({ name: 'n', opType, input, output: ['y'] });
    const scalar = (name: string, number: number): TensorProto => ({ ...integers(name, [number]), dims: [] });
    const refused = (node: NodeProto, ...initializer: TensorProto[]) => {
      const output = [{ name: 'y', type: { tensorType: { elemType: node.opType === 'Range' ? INT64 : FLOAT } } }];
      assert.throws(() => read(model([node], { initializer, output })), /\(n\): its output would have the shape/);
    };
    refused(from('ConstantOfShape', 'huge'), huge);
    refused(from('Expand', 'x', 'huge'), integers('huge', [2 ** 20, 2 ** 20, 4]));
    refused(from('Tile', 'x', 'huge'), huge);
    refused(from('Range', 'a', 'b', 'c'), scalar('a', 0), scalar('b', 2 ** 50), scalar('c', 1));
    refused(from('Resize', 'x', '', '', 'huge'), huge);
    refused(from('Pad', 'x', 'pads'), integers('pads', [2 ** 30, 0, 2 ** 30, 2 ** 30]));
  });

  it('survive seeded edits of their numbers and names: one of our errors, or a graph', () => {
    const nodes: NodeProto[] = [
      { name: 's', opType: 'Shape', input: ['x'], output: ['shape'] },
      { name: 'g', opType: 'Gather', input: ['shape', 'index'], output: ['batch'] },
      {
        name: 'c',
        opType: 'Concat',
        input: ['batch', 'rest'],
        output: ['wanted'],
        attribute: [{ name: 'axis', type: INT, i: 0 }],
      },
      { name: 'r', opType: 'Reshape', input: ['x', 'wanted'], output: ['blocks'] },
      { name: 'k', opType: 'Slice', input: ['blocks', 'index', 'two', 'index'], output: ['part'] },
      { name: 'e', opType: 'Expand', input: ['part', 'wanted'], output: ['whole'] },
      {
        name: 'p',
        opType: 'Split',
        input: ['whole'],
        output: ['left', 'right'],
        attribute: [{ name: 'axis', type: INT, i: 1 }],
      },
      { name: 't', opType: 'Tile', input: ['left', 'wanted'], output: ['many'] },
      { name: 'y', opType: 'Relu', input: ['right'], output: ['y'] },
    ];
    const names = ['x', 'index', 'rest', 'two', '', ...nodes.flatMap(({ output }) => output ?? [])];
    const number = fc.constantFrom(0, 1, 2, 3, -1, -2, 7, 64, 2 ** 16, 2 ** 31, 2 ** 40, -(2 ** 40), 2 ** 52);
    const usual = <Value>(value: Value, other: fc.Arbitrary<Value>) =>
      fc.oneof({ weight: 2, arbitrary: fc.constant(value) }, { weight: 1, arbitrary: other });
    const list = (maxLength: number) => fc.array(number, { minLength: 1, maxLength });
    const edit = fc.record({ at: fc.nat(nodes.length - 1), input: fc.nat(3), name: fc.constantFrom(...names) });
    const tried = fc.record({
      edits: fc.array(edit, { maxLength: 3 }),
      index: usual([0], list(2)),
      rest: usual([2, 2], list(3)),
      axis: usual(1, number),
      dims: usual([2, 4], list(3)),
    });
    let accepted = 0;
    const check = fc.property(tried, ({ edits, index, rest, axis, dims }) => {
      const copy = structuredClone(nodes);
      for (const { at, input, name } of edits) {
        const { input: inputs = [] } = copy[at] as NodeProto;
        if (input < inputs.length) inputs[input] = name;
      }
      const split = copy.find(({ opType }) => opType === 'Split') as NodeProto;
      split.attribute = [{ name: 'axis', type: INT, i: axis }];
      try {
        read(
          model(copy, {
            input: [value('x', dims)],
            initializer: [integers('index', index), integers('rest', rest), integers('two', [2])],
          }),
        );
        accepted++;
      } catch (error) {
        const ours =
          error instanceof GraphError || error instanceof OnnxFormatError || error instanceof UnsupportedOperatorsError;
        assert.ok(ours, String((error as Error).stack));
      }
    });
    fc.assert(check, { seed: 20_260, numRuns: 1500 });
    assert.ok(accepted > 50 && accepted < 1450, `${accepted} of 1500 hold together: some should, some not`);
  });
});
