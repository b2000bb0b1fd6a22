// What is wrong with a data file: which file, what was wanted, what came.

/** A data file or folder that cannot be used. `message` is `path: wanted …, came …`. */
export class DataError extends Error {
  readonly code = 'ERR_FAULTLINE_DATA';

  constructor(
    readonly path: string,
    readonly wanted: string,
    readonly came: string,
  ) {
    super(`${path}: wanted ${wanted}, came ${came}`);
    this.name = 'DataError';
  }
}
