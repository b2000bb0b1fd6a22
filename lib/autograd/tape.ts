// The tape: operations record how their gradients are computed, and backward() runs them in reverse. What an operation
// keeps for its backward is released as soon as that has run.

import { sizeOf } from '../core/shape.js';
import { addon } from '../native/addon.js';
import type { CONV_METHOD } from '../native/codes.js';
import { type Buffer32, Memory } from '../tensor/memory.js';
import type { Trace } from './trace.js';

/** `rows`: row-major as the shape says. `channelsLast`: shape [N, C, H, W], memory [N, H, W, C]. */
export type Layout = 'rows' | 'channelsLast';

let versions = 0;
/** A number unique to this state of these weights. */
export function nextVersion(): number {
  versions += 1;
  return versions;
}

/** A float32 tensor on the tape. */
export class Value {
  /** Of the loss, in the layout of the value; set during backward. */
  gradient: Buffer32 | undefined;
  /** Where the gradient of a parameter is written; other values use memory of the step. */
  gradientTarget: Float32Array | undefined;
  /** Of the contents of a parameter: it changes when they do. 0: not a parameter. */
  version = 0;

  constructor(
    /** In ONNX's order of dimensions, whatever the layout. */
    readonly dims: readonly number[],
    readonly layout: Layout,
    readonly buffer: Buffer32,
    readonly needsGradient: boolean,
  ) {}

  get data(): Float32Array {
    return this.buffer.array;
  }

  get size(): number {
    return this.buffer.length;
  }
}

/** Options of `record` for a backward that can be traced. */
export const REPEATS = 'repeats';

interface Entry {
  readonly output: Value;
  backward(dy: Float32Array, gradient: Buffer32): void;
  /** Buffers kept for `backward`. */
  readonly kept: readonly Buffer32[];
}

/**
 * `fast`: fewer multiplications where that pays, results within some 1e-5 of the largest. `bf16`: bfloat16 factors,
 * float32 sums.
 */
export type ConvMethod = keyof typeof CONV_METHOD;

interface TapeOptions {
  readonly memory: Memory;
  /** Batch norm and dropout behave as in training. */
  readonly training: boolean;
  /** Record gradients; without, buffers belong to the holder of the values. */
  readonly record: boolean;
  /** How convolutions compute. Default: direct; the others never for reported evaluation. */
  readonly convolutions?: ConvMethod;
  /** Receives every call, backward included. */
  readonly trace?: Trace;
}

export class Tape {
  readonly memory: Memory;
  readonly training: boolean;
  readonly recording: boolean;
  readonly convolutions: ConvMethod;
  readonly trace: Trace | undefined;
  private readonly entries: Entry[] = [];

  constructor(options: TapeOptions) {
    this.memory = options.memory;
    this.training = options.training;
    this.recording = options.record;
    this.convolutions = options.convolutions ?? 'direct';
    this.trace = options.trace;
  }

  /** A value over an array of the caller; it gets no gradient. */
  constant(data: Float32Array, dims: readonly number[], layout: Layout = 'rows'): Value {
    return new Value(dims, layout, Memory.borrow(data), false);
  }

  /** A value whose gradient is written to `gradient`. `version` changes whenever the values do. */
  parameter(
    data: Float32Array,
    gradient: Float32Array,
    dims: readonly number[],
    version: number,
    layout: Layout = 'rows',
  ): Value {
    const value = new Value(dims, layout, Memory.borrow(data), this.recording);
    value.gradientTarget = gradient;
    value.version = version;
    return value;
  }

  /** A value of this step, of unknown contents, for an operation on `inputs` to fill. */
  make(dims: readonly number[], layout: Layout, inputs: readonly (Value | undefined)[]): Value {
    this.trace?.made();
    const needs = this.recording && inputs.some((input) => input?.needsGradient);
    return new Value(dims, layout, this.memory.take(sizeOf(dims)), needs);
  }

  /** A value to fill in place of x, which is released; undefined where x is shared or may be read again. */
  replace(x: Value, dims: readonly number[], layout: Layout): Value | undefined {
    const { buffer } = x;
    if (this.recording || buffer.references > 1 || !buffer.slab || sizeOf(dims) !== x.size) return undefined;
    this.trace?.made();
    buffer.references += 1;
    return new Value(dims, layout, buffer, false);
  }

  /** Makes a native call that a trace can repeat on the same arrays: fills the value made last, or sums gradients. */
  compute(call: () => void): void {
    call();
    this.trace?.computed(call);
  }

  /** The same elements under another shape: nothing is copied, and the gradient passes as it is. */
  alias(x: Value, dims: readonly number[], layout: Layout): Value {
    x.buffer.references += 1;
    const y = new Value(dims, layout, x.buffer, x.needsGradient);
    this.record(y, [], (_dy, gradient) => this.give(x, gradient), REPEATS);
    return y;
  }

  /**
   * Records an operation. `kept`: values whose contents its backward reads (they stay until it has run). backward
   * gets the gradient of the output and passes gradients on with `into` and `give`. `repeats`: it calls native code only
   * by these and `compute`, with the same arrays in every step, and never branches on their contents.
   */
  record(output: Value, kept: readonly Value[], backward: Entry['backward'], repeats?: typeof REPEATS): void {
    if (this.recording && !repeats) this.trace?.lose();
    if (!output.needsGradient) return;
    const buffers = kept.map(({ buffer }) => buffer);
    for (const buffer of buffers) buffer.references += 1;
    this.entries.push({ output, backward, kept: buffers });
  }

  /** Memory for the backward of an operation to keep (statistics, places of maxima); released with the step. */
  scratch(length: number): Float32Array {
    return this.memory.take(length).array;
  }

  /** Computes a value; some tapes release the intermediate values here. */
  scope(compute: () => Value | undefined): Value | undefined {
    return compute();
  }

  /** Releases a value that is not read again, except by backward passes that keep it. */
  release(value: Value): void {
    this.memory.release(value.buffer);
  }

  /** Adds what `write` computes to the gradient of x. `write` overwrites all of its target. */
  into(x: Value, write: (target: Float32Array) => void): void {
    if (!x.needsGradient) return;
    if (!x.gradient) {
      x.gradient = x.gradientTarget ? Memory.borrow(x.gradientTarget) : this.memory.take(x.size);
      const { array } = x.gradient;
      this.compute(() => write(array));
      return;
    }
    const more = this.memory.take(x.size);
    this.compute(() => write(more.array));
    this.add(x, more.array);
    this.memory.release(more);
  }

  /** Adds a computed gradient to that of x, sharing the array where possible. */
  give(x: Value, gradient: Buffer32): void {
    if (!x.needsGradient) return;
    if (x.gradient) this.add(x, gradient.array);
    else if (x.gradientTarget) this.into(x, (target) => target.set(gradient.array));
    else {
      gradient.references += 1;
      x.gradient = gradient;
    }
  }

  private add(x: Value, more: Float32Array): void {
    const before = x.gradient as Buffer32;
    if (before.references === 1) {
      this.compute(() => addon.addScaled(1, more, before.array));
      return;
    }
    const sum = this.memory.take(x.size);
    this.compute(() => {
      sum.array.set(before.array);
      addon.addScaled(1, more, sum.array);
    });
    this.memory.release(before);
    x.gradient = sum;
  }

  /**
   * Gradients of Σ output · seed for every value that needs one, then forgets the operations. The seed has the layout
   * of the output. `more`: other outputs with their seeds, summed with the first.
   */
  backward(output: Value, seed: Float32Array, ...more: readonly (readonly [Value, Float32Array])[]): void {
    for (const [value, gradient] of [[output, seed] as const, ...more]) {
      this.into(value, (target) => target.set(gradient));
    }
    for (let entry = this.entries.pop(); entry; entry = this.entries.pop()) {
      const { gradient } = entry.output;
      if (gradient) {
        entry.backward(gradient.array, gradient);
        this.memory.release(gradient);
        entry.output.gradient = undefined;
      }
      for (const buffer of entry.kept) this.memory.release(buffer);
    }
  }
}
