// Errors of training.

/** The loss or a gradient was not finite. `layer` is the first where it is not. */
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

/** A checkpoint that cannot be resumed. */
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
