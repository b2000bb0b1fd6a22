// The addon's operations on images, as native/binding/{image,batch_filler}.cpp define them.

/** Fills a batch of inputs in a separate thread, from copies of its arguments. */
export interface NativeBatchFiller {
  start(
    count: number,
    height: number,
    width: number,
    channels: number,
    /** Bytes, or inputs that are used unchanged. */
    pixels: Uint8Array | Float32Array,
    /** [channels · 256]: values of bytes. */
    table: Float32Array | undefined,
    indices: Int32Array,
    /** [count, 5]: mirrored, shiftY, shiftX, holeY, holeX of each image. */
    placement: Int32Array | undefined,
    /** Side of the hole. */
    hole: number,
  ): void;
  wait(inputs: Float32Array): void;
}

export interface ImageAddon {
  BatchFiller: new () => NativeBatchFiller;
  corrupt(
    kind: number,
    constants: Float64Array,
    images: number,
    height: number,
    width: number,
    channels: number,
    seed: number,
    x: Uint8Array,
    y: Uint8Array,
  ): void;
  attackRange(
    attack: number,
    level: Float32Array,
    factor: number,
    shift: Float32Array,
    images: number,
    height: number,
    width: number,
    channels: number,
    seed: number,
    x: Float32Array,
    y: Float32Array,
  ): void;
}
