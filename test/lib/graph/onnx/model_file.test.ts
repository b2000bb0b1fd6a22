// What a file is that is no ONNX: its name, and what to do.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OnnxFormatError } from '../../../../lib/graph/errors.js';
import { readModelBytes } from '../../../../lib/graph/onnx/model_file.js';

const bytes = (text: string) => Buffer.from(text, 'latin1');
const HEADER = '{"w":{"dtype":"F32"}}';

const KINDS: readonly (readonly [string, Uint8Array, RegExp])[] = [
  ['an empty file', bytes(''), /an empty file: the download/],
  [
    'a Git LFS pointer',
    bytes('version https://git-lfs.github.com/spec/v1\noid sha256:00'),
    /a Git LFS pointer .*git lfs pull/,
  ],
  ['a web page', bytes('\n<!DOCTYPE html><html>'), /a web page \(HTML\)/],
  ['a zip archive', bytes('PK\x03\x04model.onnx'), /a zip archive: unpack it/],
  ['a PyTorch file', bytes('PK\x03\x04......archive/data.pkl'), /PyTorch weights: export/],
  ['an old PyTorch file', bytes('\x80\x02\x8a'), /PyTorch weights \(a pickle\)/],
  [
    'a safetensors file',
    bytes(`${String.fromCharCode(HEADER.length)}\0\0\0\0\0\0\0${HEADER}`),
    /safetensors, weights without/,
  ],
  ['a TensorFlow Lite file', bytes('\x1c\0\0\0TFL3'), /a TensorFlow Lite model: convert/],
  ['a numpy array', bytes('\x93NUMPY\x01'), /a numpy array: data go to --data/],
];

describe('a file in place of a model', () => {
  for (const [what, content, message] of KINDS) {
    it(`is called ${what}`, async () => {
      const folder = await mkdtemp(join(tmpdir(), 'faultline-'));
      try {
        const path = join(folder, 'model.onnx');
        await writeFile(path, content);
        await assert.rejects(readModelBytes(path), (error: Error) => {
          return error instanceof OnnxFormatError && error.message.startsWith(path) && message.test(error.message);
        });
        await assert.rejects(readModelBytes(folder), /expected an ONNX file, received a folder/);
        await assert.rejects(readModelBytes(`${path}x`), /expected an ONNX file, received no such file/);
      } finally {
        await rm(folder, { recursive: true });
      }
    });
  }
});
