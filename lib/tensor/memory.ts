// Memory for the tensors of a step: 64-byte aligned slabs owned by V8, counted and reused. A training step needs the
// sizes of the one before, so nothing is allocated after the first.
import { addon } from '../native/addon.js';

/** A cache line, a zmm register. */
const ALIGNMENT = 64;
const ELEMENT = 4;
/** Slab sizes are rounded up to an eighth of a power of two, so that nearly equal tensors share them: waste ≤ 1/8. */
const STEPS_BITS = 3;
const LEAST_ELEMENTS = 64;

interface Slab {
  readonly elements: number;
  readonly floats: Float32Array;
  /** Views handed out before, by length: making one costs more than a small operation. */
  readonly views: Map<number, Float32Array>;
}

/** A zeroed Float32Array on a 64-byte boundary. */
export function alignedFloats(length: number): Float32Array {
  const bytes = new Uint8Array(length * ELEMENT + ALIGNMENT);
  return new Float32Array(bytes.buffer, addon.alignment(bytes), length);
}

/** A counted array: shared by tensors of the same values, returned when the last one releases it. */
export class Buffer32 {
  references = 1;
  constructor(
    private readonly held: Float32Array,
    /** @internal */ readonly slab: Slab | undefined,
  ) {}

  get array(): Float32Array {
    return this.held;
  }

  get length(): number {
    return this.held.length;
  }

  /** The last user has released a buffer that belongs to no Memory. */
  freed(): void {}
}

function slabElements(length: number): number {
  if (length <= LEAST_ELEMENTS) return LEAST_ELEMENTS;
  const step = 2 ** Math.max(0, Math.floor(Math.log2(length)) - STEPS_BITS);
  return Math.ceil(length / step) * step;
}

export class Memory {
  private readonly free = new Map<number, Slab[]>();
  private readonly live = new Set<Buffer32>();
  private allocatedElements = 0;

  /** Bytes of all slabs, in use or not. */
  get bytes(): number {
    return this.allocatedElements * ELEMENT;
  }

  /** Buffers handed out and not returned. */
  get liveBuffers(): number {
    return this.live.size;
  }

  /** `length` elements of any value. */
  take(length: number): Buffer32 {
    const elements = slabElements(length);
    let slab = this.free.get(elements)?.pop();
    if (!slab) {
      slab = { elements, floats: alignedFloats(elements), views: new Map() };
      this.allocatedElements += elements;
    }
    let view = slab.views.get(length);
    if (!view) {
      view = slab.floats.subarray(0, length);
      slab.views.set(length, view);
    }
    const buffer = new Buffer32(view, slab);
    this.live.add(buffer);
    return buffer;
  }

  /** A caller's array, read as a tensor. */
  static borrow(array: Float32Array): Buffer32 {
    return new Buffer32(array, undefined);
  }

  release(buffer: Buffer32): void {
    buffer.references -= 1;
    if (buffer.references > 0) return;
    if (!buffer.slab) buffer.freed();
    else if (this.live.delete(buffer)) this.giveBack(buffer.slab);
  }

  /** Takes back everything still handed out: the end of a step. */
  reset(): void {
    for (const { slab } of this.live) if (slab) this.giveBack(slab);
    this.live.clear();
  }

  private giveBack(slab: Slab): void {
    const list = this.free.get(slab.elements);
    if (list) list.push(slab);
    else this.free.set(slab.elements, [slab]);
  }
}
