// The error of a data file: the file, what was expected, what was received.

/** A data file or folder that cannot be used. `message` is `path: expected …, received …`. */
export class DataError extends Error {
  readonly code = 'ERR_FAULTLINE_DATA';

  constructor(
    readonly path: string,
    readonly expected: string,
    readonly received: string,
    options?: ErrorOptions,
  ) {
    super(`${path}: expected ${expected}, received ${received}`, options);
    this.name = 'DataError';
  }
}
