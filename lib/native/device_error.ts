// Where work is done, and what is wrong with a device that was asked for.

/** `auto`: the GPU where there is one, else the processor; the bits are the same. */
export type Device = 'cpu' | 'cuda' | 'auto';

/**
 * `not-built`: no CUDA addon; `stale-build`: one of another version; `no-driver`, `no-device`, `unsupported-device`: this
 * machine's; `out-of-memory`: everything goes on, with less; `failed`: the device is of no more use to this process.
 */
export type DeviceFailure =
  | 'not-built'
  | 'stale-build'
  | 'no-driver'
  | 'no-device'
  | 'unsupported-device'
  | 'out-of-memory'
  | 'failed';

/** A device that cannot do what was asked. `message` is `cuda: expected …, received …`. */
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
