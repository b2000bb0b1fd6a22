// What a command says: errors of the system and of the language name what was done and what helps.
import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '../../../lib/cli/output.js';
import { InvalidArgumentError } from '../../../lib/core/errors.js';
import { UnsupportedOperatorsError } from '../../../lib/graph/errors.js';

async function errorOf(work: () => unknown): Promise<unknown> {
  try {
    await work();
  } catch (error) {
    return error;
  }
  throw new Error('expected an error, received none');
}

describe('messages of errors', () => {
  it('of the system name path, action and what it needs', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'faultline-output-'));
    try {
      const absent = join(folder, 'none');
      assert.equal(
        messageOf(await errorOf(() => readFileSync(absent))),
        `${absent}: open: expected a file or folder that exists, received ENOENT (no such file or directory)`,
      );
      // Node names no path here.
      const doing = 'faultline scan model.onnx';
      const unnamed = 'read: expected a file, received EISDIR (illegal operation on a directory)';
      assert.equal(messageOf(await errorOf(() => readFile(folder)), doing), `${doing}: ${unnamed}`);
      const descriptor = openSync(folder, 'r');
      assert.equal(
        messageOf(await errorOf(() => readSync(descriptor, Buffer.alloc(1))), doing),
        `${doing}: ${unnamed}`,
      );
      closeSync(descriptor);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('that are out of memory say so', async () => {
    for (const work of [() => new Array(-1), () => 'x'.repeat(2 ** 30), () => new Float32Array(2 ** 60)]) {
      const message = messageOf(await errorOf(work), 'faultline scan');
      assert.match(
        message,
        /^faultline scan: expected values that fit into memory, received more \(.*\): fewer samples/,
      );
    }
  });

  it('of the language are defects, with a stack; ours stay as they are', async () => {
    const defect = await errorOf(() => (undefined as unknown as { x: number }).x);
    assert.match(
      messageOf(defect, 'faultline scan'),
      /^faultline scan: a defect of faultline, please report it: TypeError: .*\n +at /,
    );
    const own = [new InvalidArgumentError('conv2d', 'x', 'an array', 'none'), new Error('bench: expected a job')];
    for (const error of [...own, new UnsupportedOperatorsError('m.onnx', [{ operator: 'X', node: 'n' }])])
      assert.equal(messageOf(error), error.message);
    assert.equal(messageOf('text'), 'text');
  });
});
