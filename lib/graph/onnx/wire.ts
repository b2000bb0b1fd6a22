// Walks the protobuf encoding before anything is built from it, so that a truncated or hostile file costs one bounded
// pass over its bytes and an error that names the field and the byte. What passes here decodes.
import type protobuf from 'protobufjs';
import { OnnxFormatError } from '../errors.js';

/** Depth of nested messages: the schema has seven, and subgraphs of real models a few more. */
const MAX_DEPTH = 48;
/**
 * Messages and list elements in one file. Each costs some 100 bytes once decoded; weights do not count (they stay
 * bytes), and a transformer of 10,000 nodes has some 150,000.
 */
const MAX_ITEMS = 1_000_000;
/** A file, and so any of its fields, fits in a signed 32-bit length: protobuf's own limit. */
export const MAX_MESSAGE_BYTES = 2 ** 31 - 1;

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

const SCALAR_WIRE_TYPES: Readonly<Record<string, number>> = {
  int32: VARINT,
  int64: VARINT,
  float: FIXED32,
  string: LENGTH_DELIMITED,
  bytes: LENGTH_DELIMITED,
};

/** Throws OnnxFormatError unless `bytes` are a well-formed message of `type`. */
export function checkWire(type: protobuf.Type, bytes: Uint8Array, source: string): void {
  if (bytes.length > MAX_MESSAGE_BYTES) {
    throw new OnnxFormatError(source, `expected at most 2 GiB (protobuf's limit), received ${bytes.length} bytes`);
  }
  new Walker(bytes, source).message(type, bytes.length, 0, type.name);
}

class Walker {
  private position = 0;
  private items = 0;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly source: string,
  ) {}

  message(type: protobuf.Type, end: number, depth: number, path: string): void {
    if (depth > MAX_DEPTH) this.fail(path, `messages nested more than ${MAX_DEPTH} deep`);
    while (this.position < end) {
      const tag = this.varint(end, path);
      const id = Math.floor(tag / 8);
      if (id === 0 || id >= 2 ** 29) this.fail(path, `field number ${id} is outside 1 … 2^29 − 1`);
      this.field(type.fieldsById[id], id, tag % 8, end, depth, path);
    }
  }

  private field(
    field: protobuf.Field | undefined,
    id: number,
    wireType: number,
    end: number,
    depth: number,
    parent: string,
  ): void {
    const path = `${parent}.${field?.name ?? `field ${id}`}`;
    const nested = field?.resolvedType as protobuf.Type | null | undefined;
    const packable = field?.repeated && (field.type === 'int64' || field.type === 'float');
    const expected = nested ? LENGTH_DELIMITED : field && SCALAR_WIRE_TYPES[field.type];
    if (expected !== undefined && wireType !== expected && !(packable && wireType === LENGTH_DELIMITED)) {
      this.fail(path, `expected wire type ${expected}, received ${wireType}`);
    }
    if (nested || field?.repeated) this.count(1, path);
    if (wireType === VARINT) {
      this.varint(end, path);
    } else if (wireType === FIXED32 || wireType === FIXED64) {
      this.skip(wireType === FIXED32 ? 4 : 8, end, path);
    } else if (wireType === LENGTH_DELIMITED) {
      const length = this.varint(end, path);
      const start = this.position;
      this.skip(length, end, path);
      if (nested) {
        this.position = start;
        this.message(nested, start + length, depth + 1, path);
      } else if (packable) {
        this.packed(field, start, start + length, path);
      }
    } else {
      this.fail(path, `wire type ${wireType} (groups) is not used by ONNX`);
    }
  }

  private packed(field: protobuf.Field, start: number, end: number, path: string): void {
    if (field.type === 'float') {
      if ((end - start) % 4 !== 0) this.fail(path, `${end - start} bytes are not a whole number of floats`);
      this.count((end - start) / 4, path);
      return;
    }
    this.position = start;
    while (this.position < end) {
      this.varint(end, path);
      this.count(1, path);
    }
  }

  /** A varint's value; beyond 2^53 only its end matters. */
  private varint(end: number, path: string): number {
    let value = 0;
    let factor = 1;
    for (let index = 0; index < 10; index++) {
      if (this.position >= end) this.fail(path, 'expected a complete number, received the end of the data (truncated)');
      const byte = this.bytes[this.position++] as number;
      value += (byte & 0x7f) * factor;
      factor *= 128;
      if (byte < 0x80) return value;
    }
    return this.fail(path, 'expected a number of at most 10 bytes, received a longer one');
  }

  private skip(length: number, end: number, path: string): void {
    if (length > end - this.position) {
      this.fail(path, `expected ${length} bytes, received ${end - this.position} (truncated)`);
    }
    this.position += length;
  }

  private count(items: number, path: string): void {
    this.items += items;
    if (this.items > MAX_ITEMS) this.fail(path, `more than ${MAX_ITEMS} messages and list elements`);
  }

  private fail(path: string, what: string): never {
    throw new OnnxFormatError(
      this.source,
      `expected an ONNX file, received unreadable bytes: ${path} (byte ${this.position}): ${what}`,
    );
  }
}
