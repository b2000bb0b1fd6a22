// The numbers that an optimizer changes: usually the parameters; other coordinates (weights in units of their
// quantization cells, weights inside bounds) have separate numbers and a mapping to the parameters and back.
import type { Parameter, Parameters } from '../graph/parameters.js';

/** Numbers that an optimizer changes in place of the weights they represent. */
export interface Coordinates {
  readonly values: Float32Array;
  readonly gradients: Float32Array;
  /** Where each parameter's numbers lie in `values`: for weight decay. */
  readonly learned: readonly Pick<Parameter, 'dims' | 'offset' | 'data'>[];
  /** Reads the gradients of the parameters: called when they are computed. */
  gather(): void;
  /** Sets the parameters, and keeps values inside bounds: called when the values have changed. */
  changed(): void;
}

/** The parameters unchanged. */
export function plainCoordinates(parameters: Parameters): Coordinates {
  const { values, gradients, learned } = parameters;
  return { values, gradients, learned, gather: () => {}, changed: () => parameters.changed() };
}
