// AttributeProto to the plain values that nodes hold, and back. The operator's table has the kind of each attribute.
import type { HostTensor } from '../../tensor/host_tensor.js';
import type { AttributeValue, GraphNode } from '../graph.js';
import type { AttributeKind, Operator } from '../operator.js';
import { type AttributeProto, type Int64, toBigInt, toSafeInteger } from './messages.js';
import { AttributeType } from './schema.js';
import { tensorFromProto, tensorToProto } from './tensors.js';

const KINDS: Readonly<Record<number, AttributeKind>> = {
  [AttributeType.FLOAT]: 'float',
  [AttributeType.INT]: 'int',
  [AttributeType.STRING]: 'string',
  [AttributeType.TENSOR]: 'tensor',
  [AttributeType.FLOATS]: 'floats',
  [AttributeType.INTS]: 'ints',
  [AttributeType.STRINGS]: 'strings',
};

/** Thrown for an attribute that no supported operator has; `message` is the reason. */
export class AttributeError extends Error {}

/** An absent field reads as an empty array, not a Uint8Array. */
const text = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes?.length ? bytes : new Uint8Array(0));

function integer(value: Int64, name: string): number {
  const number = toSafeInteger(value);
  if (number === undefined) throw new AttributeError(`attribute ${name} holds an integer beyond ±2^53`);
  return number;
}

/** Of a list: an element beyond ±2^53 means "to the end" in exporters' files, as the largest place does. */
function saturated(value: Int64): number {
  return toSafeInteger(value) ?? (toBigInt(value) > 0 ? Number.MAX_SAFE_INTEGER : Number.MIN_SAFE_INTEGER);
}

/** Attributes of Constant, whose integers are data: exact, as a tensor, where a number cannot hold them. */
function exactIntegers({ name, i, ints }: AttributeProto): [string, HostTensor] | undefined {
  const values = name === 'value_int' ? [i ?? 0] : name === 'value_ints' ? (ints ?? []) : [];
  if (values.every((value) => toSafeInteger(value) !== undefined)) return undefined;
  const dims = name === 'value_int' ? [] : [values.length];
  return ['value', { dtype: 'int64', dims, data: BigInt64Array.from(values, toBigInt) }];
}

/** Name and value of an attribute. Throws AttributeError for unsupported kinds (graphs, sparse tensors). */
export function attributeFromProto(proto: AttributeProto, source: string): [string, AttributeValue] {
  return exactIntegers(proto) ?? [proto.name ?? '', plainValue(proto, source)];
}

function plainValue(proto: AttributeProto, source: string): AttributeValue {
  const name = proto.name ?? '';
  if (proto.refAttrName) throw new AttributeError(`attribute ${name} refers to a function's`);
  switch (KINDS[proto.type ?? 0]) {
    case 'float':
      return proto.f ?? 0;
    case 'int':
      return integer(proto.i ?? 0, name);
    case 'string':
      return text(proto.s);
    case 'floats':
      return [...(proto.floats ?? [])];
    case 'ints':
      return (proto.ints ?? []).map(saturated);
    case 'strings':
      return (proto.strings ?? []).map(text);
    case 'tensor':
      if (proto.t) return tensorFromProto(proto.t, source);
  }
  throw new AttributeError(`attribute ${name} is of a kind that is not supported (${proto.type ?? 0})`);
}

/** The messages of a node's attributes, in the node's order. */
export function attributesToProto(node: GraphNode, operator: Operator): AttributeProto[] {
  return Object.entries(node.attributes).map(([name, value]) => {
    const bytes = (string: string) => new TextEncoder().encode(string);
    switch (operator.attributes[name]?.kind) {
      case 'float':
        return { name, f: value as number, type: AttributeType.FLOAT };
      case 'int':
        return { name, i: value as number, type: AttributeType.INT };
      case 'string':
        return { name, s: bytes(value as string), type: AttributeType.STRING };
      case 'floats':
        return { name, floats: [...(value as number[])], type: AttributeType.FLOATS };
      case 'ints':
        return { name, ints: [...(value as number[])], type: AttributeType.INTS };
      case 'strings':
        return { name, strings: (value as string[]).map(bytes), type: AttributeType.STRINGS };
      default:
        return { name, t: tensorToProto(value as HostTensor, ''), type: AttributeType.TENSOR };
    }
  });
}
