// Elements in device memory behind a value of the tape.
import type { NativeDeviceArray } from '../../native/cuda_addon.js';
import { Buffer32 } from '../../tensor/memory.js';

const NO_ELEMENTS = new Float32Array(0);

/** Elements in device memory that are copied to the host when read. */
export class DeviceBuffer extends Buffer32 {
  private copy: Float32Array | undefined;

  constructor(
    readonly device: NativeDeviceArray,
    private readonly count: number,
    private readonly home: { read(buffer: DeviceBuffer): Float32Array; forget(buffer: DeviceBuffer): boolean },
  ) {
    super(NO_ELEMENTS, undefined);
  }

  override get array(): Float32Array {
    this.copy ??= this.home.read(this);
    return this.copy;
  }

  override get length(): number {
    return this.count;
  }

  override freed(): void {
    if (this.home.forget(this)) this.device.dispose();
  }
}
