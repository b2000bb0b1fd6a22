// The addon's operations on images, as native/binding/image.cpp defines them.

export interface ImageAddon {
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
