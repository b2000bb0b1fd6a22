// Memory of a step: aligned, counted, and used again.
import assert from 'node:assert/strict';
import { Memory } from '../../../lib/tensor/memory.js';

describe('memory', () => {
  it('hands out arrays of the length that is asked for, and counts them', () => {
    const memory = new Memory();
    for (const length of [1, 63, 64, 65, 1000, 4097]) {
      const { array } = memory.take(length);
      assert.equal(array.length, length);
    }
    assert.equal(memory.liveBuffers, 6);
  });

  it('allocates nothing in a second step of the same sizes, and at most an eighth too much', () => {
    const memory = new Memory();
    const lengths = [100, 1000, 100, 70_000];
    for (const length of lengths) memory.take(length);
    const { bytes } = memory;
    memory.reset();
    assert.equal(memory.liveBuffers, 0);
    for (const length of lengths) memory.take(length);
    assert.equal(memory.bytes, bytes);
    assert.ok(bytes <= (4 * lengths.reduce((a, b) => a + b) * 9) / 8);
  });

  it('takes a buffer back when the last that shares it lets go', () => {
    const memory = new Memory();
    const buffer = memory.take(100);
    buffer.references += 1;
    memory.release(buffer);
    assert.equal(memory.liveBuffers, 1);
    assert.notEqual(memory.take(100).array.buffer, buffer.array.buffer);
    memory.release(buffer);
    assert.equal(memory.liveBuffers, 1);
    assert.equal(memory.take(100).array.buffer, buffer.array.buffer);
  });

  it('leaves arrays of others alone', () => {
    const memory = new Memory();
    memory.release(Memory.borrow(new Float32Array(100)));
    assert.equal(memory.bytes, 0);
  });
});
