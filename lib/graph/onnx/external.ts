// Weights that lie in files beside the model: PyTorch's exporter writes them so, and every model past protobuf's 2 GiB
// has them there.
import { createHash } from 'node:crypto';
import { realpath } from 'node:fs/promises';
import { dirname, isAbsolute, join, normalize, sep, win32 } from 'node:path';
import { requireWithin } from '../../core/limits.js';
import { OnnxFormatError } from '../errors.js';
import type { ModelProto, TensorProto } from './messages.js';
import { openFile, readPart } from './model_file.js';
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

/** The file, inside the model's folder wherever links lead: of the model, or of the file that it is a link to. */
async function insideFolder(source: string, model: string, location: string, where: string): Promise<void> {
  const [target, file] = await Promise.all([source, model].map((path) => realpath(path).catch(() => undefined)));
  const folders = [await realpath(dirname(model)), dirname(file ?? model)];
  if (target === undefined || folders.some((folder) => `${target}${sep}`.startsWith(join(folder, sep)))) return;
  throw new OnnxFormatError(
    where,
    `expected its data in a file in the model's folder, received a link out of it: "${location}"`,
  );
}

/** Where the data of a tensor lie in a file of `size` bytes. */
function partOf(tensor: TensorProto, size: number, expected: number | undefined, where: string) {
  const offset = numberOf(tensor, 'offset', where) ?? 0;
  const length = numberOf(tensor, 'length', where) ?? expected ?? size - offset;
  if (expected !== undefined && length !== expected) {
    throw new OnnxFormatError(where, `expected ${expected} bytes for its shape, received ${length}`);
  }
  if (!(length >= 0) || length > MAX_MESSAGE_BYTES || offset + length > size) {
    const bytes = `expected ${length} bytes (at most 2 GiB) at ${offset} of "${locationOf(tensor)}"`;
    throw new OnnxFormatError(where, `${bytes}, received a file of ${size} bytes`);
  }
  return { offset, length };
}

/**
 * Puts the data that lie in other files into their tensors. `path`: of the model; `bytesOf`: what a tensor's shape and
 * type take. Nothing is read before all sizes are known to fit. Throws OnnxFormatError and LimitError.
 */
export async function readExternalData(
  model: ModelProto,
  path: string,
  bytesOf: (tensor: TensorProto, where: string) => number | undefined,
): Promise<void> {
  const files = new Map<string, Awaited<ReturnType<typeof openFile>>>();
  let total = 0;
  try {
    const parts = [];
    for (const tensor of externalTensors(model)) {
      const where = `${path}: tensor "${tensor.name}"`;
      const source = pathOf(tensor, path, where);
      const file = files.get(source) ?? (await openFor(source, path, locationOf(tensor), where));
      files.set(source, file);
      const part = partOf(tensor, file.size, bytesOf(tensor, where), where);
      total += part.length;
      parts.push({ tensor, where, file, ...part });
    }
    requireWithin('modelBytes', path, total);
    for (const { tensor, where, file, offset, length } of parts) {
      tensor.rawData = await readPart(file.handle, offset, length, where);
      tensor.dataLocation = 0;
      tensor.externalData = [];
    }
  } finally {
    for (const { handle } of files.values()) await handle.close();
  }
}

async function openFor(source: string, model: string, location: string, where: string) {
  await insideFolder(source, model, location, where);
  return openFile(source, where, `its data in "${location}" beside the model`);
}

/** SHA-256 of a model's file and of those beside it that its data lie in, in hexadecimal. */
export async function hashModel(model: ModelProto, bytes: Uint8Array, path: string): Promise<string> {
  const hash = createHash('sha256').update(bytes);
  const sources = new Map(externalTensors(model).map((tensor) => [pathOf(tensor, path, path), locationOf(tensor)]));
  for (const [source, location] of sources) {
    const { handle } = await openFor(source, path, location, path);
    for await (const part of handle.createReadStream()) hash.update(part);
  }
  return hash.digest('hex');
}
