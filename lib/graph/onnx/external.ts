// Weights that lie in files beside the model: PyTorch's exporter writes them so, and every model past protobuf's 2 GiB
// has them there.
import { createHash } from 'node:crypto';
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { dirname, isAbsolute, join, normalize, win32 } from 'node:path';
import { OnnxFormatError } from '../errors.js';
import type { ModelProto, TensorProto } from './messages.js';
import { EXTERNAL_DATA } from './schema.js';
import { MAX_MESSAGE_BYTES } from './wire.js';

export function isExternal({ dataLocation, externalData }: TensorProto): boolean {
  return dataLocation === EXTERNAL_DATA || (externalData?.length ?? 0) > 0;
}

const entryOf = ({ externalData }: TensorProto, name: string) => externalData?.find(({ key }) => key === name)?.value;

/** The file that a tensor says its data lie in, as its model names it. */
export const locationOf = (tensor: TensorProto): string => entryOf(tensor, 'location') ?? '';

function externalTensors({ graph }: ModelProto): TensorProto[] {
  const attributes = (graph?.node ?? []).flatMap(({ attribute }) => attribute ?? []);
  const constants = attributes.flatMap(({ t }) => (t ? [t] : []));
  return [...(graph?.initializer ?? []), ...constants].filter(isExternal);
}

/** Where in the model's folder; models are untrusted and may not name files elsewhere. */
function pathOf(tensor: TensorProto, model: string, where: string): string {
  const location = locationOf(tensor);
  const outside = isAbsolute(location) || win32.isAbsolute(location) || normalize(location).startsWith('..');
  if (location === '' || outside) {
    throw new OnnxFormatError(where, `expected its data in a file in the model's folder, received "${location}"`);
  }
  return join(dirname(model), location);
}

function numberOf(tensor: TensorProto, key: string, where: string): number | undefined {
  const text = entryOf(tensor, key);
  if (text === undefined) return undefined;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value))
    throw new OnnxFormatError(where, `expected ${key} of its data in bytes, received "${text}"`);
  return value;
}

async function readPart(file: FileHandle, tensor: TensorProto, where: string): Promise<Uint8Array> {
  const stats = await file.stat();
  const offset = numberOf(tensor, 'offset', where) ?? 0;
  const length = numberOf(tensor, 'length', where) ?? stats.size - offset;
  if (!stats.isFile() || !(length >= 0) || length > MAX_MESSAGE_BYTES || offset + length > stats.size) {
    const received = stats.isFile() ? `a file of ${stats.size} bytes` : 'no file';
    throw new OnnxFormatError(
      where,
      `expected ${length} bytes (at most 2 GiB) at ${offset} of "${locationOf(tensor)}", received ${received}`,
    );
  }
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await file.read(bytes, done, length - done, offset + done);
    if (bytesRead === 0)
      throw new OnnxFormatError(where, `expected more bytes in "${locationOf(tensor)}", received the end of the file`);
    done += bytesRead;
  }
  return bytes;
}

/** Puts the data that lie in other files into their tensors. `path`: of the model. Throws OnnxFormatError. */
export async function readExternalData(model: ModelProto, path: string): Promise<void> {
  const files = new Map<string, FileHandle>();
  try {
    for (const tensor of externalTensors(model)) {
      const where = `${path}: tensor "${tensor.name}"`;
      const source = pathOf(tensor, path, where);
      const file = files.get(source) ?? (await openFor(source, locationOf(tensor), where));
      files.set(source, file);
      tensor.rawData = await readPart(file, tensor, where);
      tensor.dataLocation = 0;
      tensor.externalData = [];
    }
  } finally {
    for (const file of files.values()) await file.close();
  }
}

async function openFor(path: string, location: string, where: string): Promise<FileHandle> {
  return open(path).catch((error: NodeJS.ErrnoException) => {
    const why = error.code === 'ENOENT' ? 'received no such file beside the model' : error.message;
    throw new OnnxFormatError(where, `expected its data in "${location}": ${why}`);
  });
}

/** SHA-256 of a model's file and of those beside it that its data lie in, in hexadecimal. */
export async function hashModel(model: ModelProto, path: string): Promise<string> {
  const hash = createHash('sha256').update(await readFile(path));
  const sources = externalTensors(model).map((tensor) => pathOf(tensor, path, path));
  for (const source of new Set(sources)) {
    for await (const part of (await open(source)).createReadStream()) hash.update(part);
  }
  return hash.digest('hex');
}
