// The walk over protobuf bytes: what is well formed passes, everything else is refused with field and byte.
import assert from 'node:assert/strict';
import { OnnxFormatError } from '../../../../lib/graph/errors.js';
import { modelType, tensorType } from '../../../../lib/graph/onnx/schema.js';
import { checkWire } from '../../../../lib/graph/onnx/wire.js';

describe('the wire format', () => {
  // By protobuf's encoding: tag = field number · 8 + wire type. ModelProto: 1 ir_version, 2 producer_name, 7 graph.
  const passes = (...bytes: number[]) => checkWire(modelType, Uint8Array.from(bytes), 'm.onnx');
  const refused = (bytes: number[], message: RegExp) =>
    assert.throws(
      () => passes(...bytes),
      (error) => error instanceof OnnxFormatError && message.test(error.message),
    );

  it('takes known fields, and skips unknown ones of every wire type', () => {
    passes();
    passes(0x08, 0x07);
    passes(0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01); // ten bytes: a negative int64
    passes(0x12, 2, 0x68, 0x69);
    passes(0x3a, 0);
    passes(0xa0, 0x06, 5, 0xa1, 0x06, 1, 2, 3, 4, 5, 6, 7, 8, 0xa5, 0x06, 1, 2, 3, 4, 0xa2, 0x06, 1, 9); // field 100
  });

  it('refuses numbers that are cut off or too long', () => {
    refused(
      [0x08],
      /ModelProto\.irVersion \(byte 1\): expected a complete number, received the end of the data \(truncated\)/,
    );
    refused([0x08, 0x80], /truncated/);
    refused([0x08, ...new Array<number>(10).fill(0x80), 1], /expected a number of at most 10 bytes/);
  });

  it('refuses wrong wire types, groups and field numbers', () => {
    refused([0x0a, 0], /irVersion .*expected wire type 0, received 2/);
    refused([0x38, 1], /graph .*expected wire type 2, received 0/);
    refused([0xa3, 0x06], /wire type 3 \(groups\)/);
    refused([0x00, 1], /field number 0 is outside/);
  });

  it('refuses lengths beyond the end, of the message that holds them too', () => {
    refused([0x12, 3, 0x68], /producerName .*expected 3 bytes, received 1 \(truncated\)/);
    refused([0x3a, 2, 0x12, 1, 0x61], /expected 1 bytes, received 0 \(truncated\)/);
  });

  it('counts packed numbers: the last may not be cut off', () => {
    // TensorProto: 1 dims, packed.
    checkWire(tensorType, Uint8Array.of(0x0a, 3, 1, 0x80, 1), 't');
    assert.throws(() => checkWire(tensorType, Uint8Array.of(0x0a, 2, 1, 0x80), 't'), /dims .*truncated/);
  });
});
