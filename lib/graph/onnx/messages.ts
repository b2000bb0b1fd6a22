// TypeScript types of the decoded protobuf messages: the part of schema.ts that the importer and exporter use.

/** A 64-bit integer of a message: a number when written, low and high words when read by protobufjs. */
export type Int64 = number | { readonly low: number; readonly high: number; readonly unsigned: boolean };

interface StringStringEntryProto {
  key?: string;
  value?: string;
}

interface OperatorSetIdProto {
  domain?: string;
  version?: Int64;
}

export interface TensorProto {
  dims?: Int64[];
  dataType?: number;
  segment?: { begin?: Int64; end?: Int64 } | null;
  /** Packed arrays, undecoded: see schema.ts. */
  floatData?: Uint8Array[];
  int32Data?: Uint8Array[];
  stringData?: Uint8Array[];
  int64Data?: Uint8Array[];
  doubleData?: Uint8Array[];
  uint64Data?: Uint8Array[];
  name?: string;
  rawData?: Uint8Array;
  docString?: string;
  externalData?: StringStringEntryProto[];
  dataLocation?: number;
}

export interface AttributeProto {
  name?: string;
  f?: number;
  i?: Int64;
  s?: Uint8Array;
  t?: TensorProto | null;
  g?: GraphProto | null;
  floats?: number[];
  ints?: Int64[];
  strings?: Uint8Array[];
  docString?: string;
  type?: number;
  refAttrName?: string;
}

interface DimensionProto {
  dimValue?: Int64;
  dimParam?: string;
}

interface TypeProto {
  tensorType?: { elemType?: number; shape?: { dim?: DimensionProto[] } | null } | null;
}

export interface ValueInfoProto {
  name?: string;
  type?: TypeProto | null;
  docString?: string;
}

export interface NodeProto {
  input?: string[];
  output?: string[];
  name?: string;
  opType?: string;
  attribute?: AttributeProto[];
  docString?: string;
  domain?: string;
}

export interface GraphProto {
  node?: NodeProto[];
  name?: string;
  initializer?: TensorProto[];
  docString?: string;
  input?: ValueInfoProto[];
  output?: ValueInfoProto[];
  valueInfo?: ValueInfoProto[];
  sparseInitializer?: unknown[];
  quantizationAnnotation?: unknown[];
}

export interface ModelProto {
  irVersion?: Int64;
  producerName?: string;
  producerVersion?: string;
  domain?: string;
  modelVersion?: Int64;
  docString?: string;
  graph?: GraphProto | null;
  opsetImport?: OperatorSetIdProto[];
  metadataProps?: StringStringEntryProto[];
  functions?: { name?: string; domain?: string }[];
  trainingInfo?: unknown[];
}

/** The value of an int64 field, exactly. */
export function toBigInt(value: Int64): bigint {
  if (typeof value === 'number') return BigInt(value);
  const bits = (BigInt(value.high >>> 0) << 32n) | BigInt(value.low >>> 0);
  return value.unsigned ? bits : BigInt.asIntN(64, bits);
}

/** The value of an int64 field as a number; `undefined` when it has none (beyond ±2^53). */
export function toSafeInteger(value: Int64): number | undefined {
  const number = Number(toBigInt(value));
  return Number.isSafeInteger(number) ? number : undefined;
}

/** An exact 64-bit integer as a message takes it. */
export function fromBigInt(value: bigint): Int64 {
  if (value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(value);
  return {
    low: Number(BigInt.asIntN(32, value)),
    high: Number(BigInt.asIntN(32, value >> 32n)),
    unsigned: false,
  };
}
