// ONNX's test data, from Debian's libonnx-testdata: where it lies, and one test folder read into memory.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeModel, decodeTensor } from '../../lib/graph/onnx/codec.js';
import type { ModelProto } from '../../lib/graph/onnx/messages.js';
import type { HostTensor } from '../../lib/tensor/host_tensor.js';

const DATA = '/usr/share/libonnx-testdata/data';

/** The folders of a category ("node", "pytorch-converted", …), sorted. */
export function listTests(category: string): string[] {
  assert.ok(existsSync(DATA), `${DATA} is missing: apt-get install libonnx-testdata`);
  return readdirSync(join(DATA, category)).sort();
}

export function readModelBytes(category: string, test: string): Uint8Array {
  return readFileSync(join(DATA, category, test, 'model.onnx'));
}

export function readModelProto(category: string, test: string): ModelProto {
  return decodeModel(readModelBytes(category, test), test);
}

export interface DataSet {
  readonly inputs: readonly HostTensor[];
  readonly outputs: readonly HostTensor[];
}

/** The data sets of a test, in order. Throws OnnxFormatError where a value is no tensor. */
export function readDataSets(category: string, test: string): DataSet[] {
  const folder = join(DATA, category, test);
  const sets = readdirSync(folder).filter((name) => name.startsWith('test_data_set_'));
  return sets.map((set) => {
    const read = (what: string) => {
      const files = readdirSync(join(folder, set)).filter((name) => name.startsWith(`${what}_`));
      return files.map((_, index) => {
        const file = join(folder, set, `${what}_${index}.pb`);
        return decodeTensor(readFileSync(file), file);
      });
    };
    return { inputs: read('input'), outputs: read('output') };
  });
}
