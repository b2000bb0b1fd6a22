// Bytes to messages and back. Decoding checks first (wire.ts), so that bad bytes become an OnnxFormatError, never a
// crash.
import type protobuf from 'protobufjs';
import type { HostTensor } from '../../tensor/host_tensor.js';
import { OnnxFormatError } from '../errors.js';
import { hashModel, readExternalData } from './external.js';
import type { ModelProto, TensorProto } from './messages.js';
import { readModelBytes } from './model_file.js';
import { modelType, tensorType } from './schema.js';
import { bytesOfTensor, tensorFromProto, tensorToProto } from './tensors.js';
import { checkWire } from './wire.js';

function decode<Message>(type: protobuf.Type, bytes: Uint8Array, source: string): Message {
  checkWire(type, bytes, source);
  try {
    return type.decode(bytes) as Message;
  } catch (error) {
    throw new OnnxFormatError(source, `expected an ONNX file, received unreadable bytes: ${(error as Error).message}`);
  }
}

/** The message in a `.onnx` file. Throws OnnxFormatError; `source` names the file in its message. */
export function decodeModel(bytes: Uint8Array, source = 'ONNX model'): ModelProto {
  const model = decode<ModelProto>(modelType, bytes, source);
  if (!model.graph) throw new OnnxFormatError(source, 'expected an ONNX model, received a file without a graph');
  return model;
}

export function encodeModel(model: ModelProto): Uint8Array {
  return modelType.encode(model as protobuf.Message).finish();
}

/** The tensor in a `.pb` file (a bare TensorProto, as in ONNX's test data). Throws OnnxFormatError. */
export function decodeTensor(bytes: Uint8Array, source = 'ONNX tensor'): HostTensor {
  return tensorFromProto(decode<TensorProto>(tensorType, bytes, source), source);
}

/** The bytes of a tensor's TensorProto. */
export function encodeTensor(tensor: HostTensor, name = ''): Uint8Array {
  return tensorType.encode(tensorToProto(tensor, name) as protobuf.Message).finish();
}

/** Reads a model file, and the weights that lie beside it. Throws OnnxFormatError and LimitError. */
export async function readModel(path: string): Promise<ModelProto> {
  const model = decodeModel(await readModelBytes(path), path);
  await readExternalData(model, path, bytesOfTensor);
  return model;
}

/** SHA-256 of a model with all its weights, in hexadecimal; of one in one file, that of the file. */
export async function modelDigest(path: string): Promise<string> {
  const bytes = await readModelBytes(path);
  return hashModel(decodeModel(bytes, path), bytes, path);
}
