// What is wrong with a data file: which file, what was wanted, what came.

/** A data file or folder that cannot be used. `message` is `path: expected …, received …`. */
export class DataError extends Error {
  readonly code = 'ERR_FAULTLINE_DATA';

  constructor(
    readonly path: string,
    readonly expected: string,
    readonly received: string,
  ) {
    super(`${path}: expected ${expected}, received ${received}`);
    this.name = 'DataError';
  }
}
