// ONNX models as bytes: the round trip, and hostile bytes.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { OnnxFormatError } from '../../../../lib/graph/errors.js';
import { decodeModel, encodeModel, readModel } from '../../../../lib/graph/onnx/codec.js';
import { type ModelProto, toSafeInteger } from '../../../../lib/graph/onnx/messages.js';
import { tensorFromProto } from '../../../../lib/graph/onnx/tensors.js';

const SMALL_MODEL: ModelProto = {
  irVersion: 8,
  producerName: 'test',
  opsetImport: [{ domain: '', version: 17 }],
  graph: {
    name: 'g',
    node: [
      { opType: 'Relu', name: 'relu', input: ['x'], output: ['y'], attribute: [{ name: 'a', type: 7, ints: [1, -2] }] },
    ],
    initializer: [{ name: 'w', dims: [2], dataType: 1, rawData: new Uint8Array(8) }],
    input: [{ name: 'x', type: { tensorType: { elemType: 1, shape: { dim: [{ dimParam: 'n' }, { dimValue: 3 }] } } } }],
    output: [{ name: 'y' }],
  },
};

function refused(bytes: Uint8Array, pattern: RegExp): void {
  assert.throws(
    () => decodeModel(bytes, 'm.onnx'),
    (error: Error) => {
      assert.ok(error instanceof OnnxFormatError);
      assert.match(error.message, pattern);
      return true;
    },
  );
}

describe('ONNX models as bytes', () => {
  const bytes = encodeModel(SMALL_MODEL);

  it('encode and decode to the same bytes and values', () => {
    const model = decodeModel(bytes);
    assert.deepEqual(encodeModel(model), bytes);
    assert.equal(model.graph?.node?.[0]?.opType, 'Relu');
    assert.deepEqual(model.graph?.node?.[0]?.attribute?.[0]?.ints?.map(toSafeInteger), [1, -2]);
    assert.equal(model.graph?.input?.[0]?.type?.tensorType?.shape?.dim?.[0]?.dimParam, 'n');
  });

  it('are refused when empty, truncated or something else, saying where', () => {
    refused(new Uint8Array(0), /m\.onnx: expected an ONNX model, received a file without a graph/);
    refused(bytes.subarray(0, bytes.length - 3), /expected \d+ bytes, received \d+ \(truncated\)/);
    refused(Buffer.from('<html>not found</html>'), /expected an ONNX file, received unreadable bytes/);
    refused(Uint8Array.of(0x3b, 1), /expected wire type 2, received 3/);
    refused(Uint8Array.of(0x9b, 6), /wire type 3 \(groups\)/);
  });

  it('are refused when nested too deep or made of too many pieces', () => {
    let nested: Uint8Array = new Uint8Array(0);
    const wrap = (tag: number, inner: Uint8Array) => {
      const length = inner.length;
      return Uint8Array.of(tag, (length & 0x7f) | 0x80, (length >> 7) | 0x80, length >> 14, ...inner);
    };
    // ModelProto.graph > node > attribute > g > node > attribute > g …
    for (let level = 0; level < 40; level++) nested = wrap(0x0a, wrap(0x2a, wrap(0x32, nested)));
    refused(wrap(0x3a, nested), /nested more than 48 deep/);
    const empties = new Uint8Array(9_000_000); // 4.5 million empty nodes: 0a 00
    for (let i = 0; i < empties.length; i += 2) empties[i] = 0x0a;
    const header = Uint8Array.of(0x3a, 0xc0, 0xa8, 0xa5, 0x04);
    refused(Buffer.concat([header, empties]), /more than 1000000 messages/);
  });

  it('are files: folders and devices are refused, unopened', async () => {
    for (const path of ['.', '/dev/null'])
      await assert.rejects(readModel(path), /expected an ONNX file, received a (folder|device)/);
  });

  it('never fail in any other way, whatever is cut off or flipped', () => {
    const edit = fc.tuple(fc.nat(bytes.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.nat(bytes.length), fc.array(edit, { maxLength: 4 }), (length, edits) => {
        const copy = Uint8Array.from(bytes);
        for (const [position, value] of edits) copy[position] = value;
        try {
          const { graph } = decodeModel(copy.subarray(0, length));
          for (const tensor of graph?.initializer ?? []) tensorFromProto(tensor, 'fuzz');
        } catch (error) {
          assert.ok(error instanceof OnnxFormatError, String(error));
        }
      }),
      { numRuns: 3000 },
    );
  });
});
