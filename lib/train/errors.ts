// How training fails when the numbers do.

/** The loss or a gradient was not finite. `layer` is where that showed first. */
export class TrainingDivergedError extends Error {
  readonly code = 'ERR_FAULTLINE_DIVERGED';

  constructor(
    readonly step: number,
    readonly layer: string,
    readonly what: string,
  ) {
    super(`train: step ${step}: ${what} is not finite, first in ${layer}; the last checkpoint is kept`);
    this.name = 'TrainingDivergedError';
  }
}

/** A checkpoint that cannot be continued from. */
export class CheckpointError extends Error {
  readonly code = 'ERR_FAULTLINE_CHECKPOINT';

  constructor(
    readonly path: string,
    what: string,
  ) {
    super(`${path}: ${what}`);
    this.name = 'CheckpointError';
  }
}
