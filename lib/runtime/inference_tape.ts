// A tape without gradients that releases the intermediate values of an operation, so that a run of many
// policies on one batch needs no more memory than one of them.
import { type Layout, Tape, type Value } from '../autograd/tape.js';
import type { Buffer32, Memory } from '../tensor/memory.js';

export class InferenceTape extends Tape {
  private readonly made: Value[] = [];
  private readonly scratches: Buffer32[] = [];

  constructor(memory: Memory) {
    super({ memory, training: false, record: false });
  }

  override make(dims: readonly number[], layout: Layout, inputs: readonly (Value | undefined)[]): Value {
    const value = super.make(dims, layout, inputs);
    this.made.push(value);
    return value;
  }

  override alias(x: Value, dims: readonly number[], layout: Layout): Value {
    const value = super.alias(x, dims, layout);
    this.made.push(value);
    return value;
  }

  /** Takes a value that was made elsewhere for one of this scope's. */
  adopt(value: Value): Value {
    this.made.push(value);
    return value;
  }

  override scratch(length: number): Float32Array {
    const buffer = this.memory.take(length);
    this.scratches.push(buffer);
    return buffer.array;
  }

  /** What `compute` returns, for the caller to release; everything else it made is released. */
  override scope(compute: () => Value | undefined): Value | undefined {
    const { made, scratches } = this;
    if (made.length > 0) made.length = 0;
    if (scratches.length > 0) scratches.length = 0;
    const result = compute();
    let isNew = false;
    for (let value = made.pop(); value; value = made.pop()) {
      if (value === result) isNew = true;
      else this.release(value);
    }
    for (let buffer = scratches.pop(); buffer; buffer = scratches.pop()) this.memory.release(buffer);
    // An operation that does nothing gives its input back: then two names hold it.
    if (result && !isNew) result.buffer.references += 1;
    return result;
  }
}
