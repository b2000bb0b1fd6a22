// The devices, and the error of a device that cannot be used.

/** `auto`: the GPU where there is one, else the processor; the bits are the same. */
export type Device = 'cpu' | 'cuda' | 'auto';

/**
 * `not-built`: no CUDA addon; `stale-build`: one of another version; `no-driver`, `no-device`, `unsupported-device`: this
 * machine's; `out-of-memory`: later calls that need less work; `failed`: no later call of this process works.
 */
export type DeviceFailure =
  | 'not-built'
  | 'stale-build'
  | 'no-driver'
  | 'no-device'
  | 'unsupported-device'
  | 'out-of-memory'
  | 'failed';

/** A requested device that cannot be used. `message` is `cuda: expected …, received …`. */
export class DeviceError extends Error {
  readonly code = 'ERR_FAULTLINE_DEVICE';

  constructor(
    readonly reason: DeviceFailure,
    what: string,
  ) {
    super(`cuda: ${what}`);
    this.name = 'DeviceError';
  }
}
