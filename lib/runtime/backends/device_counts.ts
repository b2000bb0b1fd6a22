// Right classes of samples, counted on the device where the logits are: nothing is waited for before all are counted.
import type { Value } from '../../autograd/tape.js';
import type { Cuda, NativeDeviceArray } from '../../native/cuda_addon.js';
import type { CountRequest } from '../backend.js';
import type { SampleCounts } from '../scores.js';
import { DeviceBuffer } from './device_buffer.js';

export class DeviceCounts implements SampleCounts {
  private readonly arrays: NativeDeviceArray[] = [];
  private readonly labels: NativeDeviceArray | undefined;
  private readonly reference: NativeDeviceArray | undefined;
  private readonly counts: NativeDeviceArray;
  private counted = 0;

  constructor(
    private readonly cuda: Cuda,
    private readonly request: CountRequest,
    /** Throws what went wrong on the device. */
    private readonly checkFault: () => void,
  ) {
    this.labels = this.classes(request.labels);
    this.reference = this.classes(request.reference);
    this.counts = this.take(2 * request.most);
    this.counts.clear();
  }

  private take(count: number): NativeDeviceArray {
    const array = new this.cuda.addon.DeviceArray(count);
    this.arrays.push(array);
    return array;
  }

  private classes(all: Int32Array | undefined): NativeDeviceArray | undefined {
    if (!all) return undefined;
    const array = this.take(all.length);
    array.write(all);
    return array;
  }

  add(logits: Value): boolean {
    if (!(logits.buffer instanceof DeviceBuffer)) return false;
    const { samples } = this.request;
    const { labels, reference, counts } = this;
    const classes = logits.size / samples;
    this.cuda.addon.score(logits.buffer.device, samples, classes, labels, reference, counts, this.counted);
    this.counted += 1;
    return true;
  }

  read(): Int32Array {
    const counts = new Int32Array(2 * this.counted);
    this.counts.read(counts);
    this.checkFault();
    return counts;
  }

  dispose(): void {
    for (const array of this.arrays) array.dispose();
  }
}
