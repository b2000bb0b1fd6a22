// Opens a model's file and those beside it: regular files alone, without waiting, and says what a file is that is no ONNX.
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { requireWithin } from '../../core/limits.js';
import { OnnxFormatError } from '../errors.js';

/** A regular file, and its size in bytes. */
interface OpenFile {
  readonly handle: FileHandle;
  readonly size: number;
}

/** Opens a regular file: a pipe would be waited for without end. Throws OnnxFormatError; `where` begins its message. */
export async function openFile(path: string, where: string, expected = 'a readable file'): Promise<OpenFile> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: NodeJS.ErrnoException) => {
    const received = error.code === 'ENOENT' ? 'no such file' : (error.code ?? error.message);
    throw new OnnxFormatError(where, `expected ${expected}, received ${received}`, { cause: error });
  });
  const stats = await handle.stat();
  if (stats.isFile()) return { handle, size: stats.size };
  await handle.close();
  const received = stats.isDirectory() ? 'a folder' : stats.isFIFO() ? 'a pipe' : 'a device or socket';
  throw new OnnxFormatError(where, `expected ${expected}, received ${received}`);
}

/** Bytes that one call of the system reads. */
const MOST_READ = 2 ** 30;

/** `length` bytes from an offset on. Throws OnnxFormatError where the file ends before. */
export async function readPart(handle: FileHandle, offset: number, length: number, where: string): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await handle.read(bytes, done, Math.min(length - done, MOST_READ), offset + done);
    if (bytesRead === 0) throw new OnnxFormatError(where, `expected ${length} bytes at ${offset}, received ${done}`);
    done += bytesRead;
  }
  return bytes;
}

/** All bytes of a model's file. Throws OnnxFormatError, also for a file that is known to be something else. */
export async function readModelBytes(path: string): Promise<Uint8Array> {
  const { handle, size } = await openFile(path, path, 'an ONNX file');
  try {
    const head = await readPart(handle, 0, Math.min(size, HEAD_BYTES), path);
    const kind = kindOf(head, size);
    if (kind) throw new OnnxFormatError(path, `expected an ONNX file, received ${kind}`);
    requireWithin('fileBytes', path, size);
    return await readPart(handle, 0, size, path);
  } finally {
    await handle.close();
  }
}

const HEAD_BYTES = 512;
const EXPORT = 'export the network that they belong to (torch.onnx.export)';

/** What a file is by its first bytes, and what to do; undefined where it may be ONNX. */
function kindOf(head: Uint8Array, size: number): string | undefined {
  const text = new TextDecoder('latin1').decode(head);
  const start = text.trimStart().toLowerCase();
  if (size === 0) return 'an empty file: the download or export did not finish';
  if (text.startsWith('version https://git-lfs'))
    return 'a Git LFS pointer in its place: `git lfs pull` fetches the file';
  if (start.startsWith('<!doctype html') || start.startsWith('<html')) {
    return 'a web page (HTML): download the file itself, not the page about it';
  }
  if (text.startsWith('PK\x03\x04')) {
    const torch = /data\.pkl|\/version|\.format_version|byteorder/.test(text);
    return torch ? `PyTorch weights: ${EXPORT}` : 'a zip archive: unpack it, and pass the .onnx file inside';
  }
  if (text.startsWith('\x80\x02')) return `PyTorch weights (a pickle): ${EXPORT}`;
  const header = head.length >= 9 ? Number(new DataView(head.buffer, head.byteOffset).getBigUint64(0, true)) : 0;
  if (header > 0 && header <= size - 8 && text[8] === '{') return `safetensors, weights without a network: ${EXPORT}`;
  if (text.startsWith('TFL3', 4)) return 'a TensorFlow Lite model: convert it (python -m tf2onnx.convert --tflite)';
  if (text.startsWith('ORTM', 4)) return "ONNX Runtime's own format (.ort): pass the .onnx file that it was made of";
  if (text.startsWith('\x89HDF')) return 'a Keras file (HDF5): convert it (python -m tf2onnx.convert)';
  if (text.startsWith('GGUF')) return 'a GGUF file: pass the ONNX export of the network';
  if (text.startsWith('\x1f\x8b')) return 'a gzip file: unpack it first';
  if (text.startsWith('\x93NUMPY')) return 'a numpy array: data go to --data, the model is an .onnx file';
  return undefined;
}
