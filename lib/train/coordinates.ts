// What an optimizer moves. Usually the parameters themselves; other coordinates (weights in units of their quantization
// cells, weights held inside bounds) bring their own numbers and say how these and the parameters follow each other.
import type { Parameter, Parameters } from '../graph/parameters.js';

/** Numbers that an optimizer moves in place of the weights they stand for. */
export interface Coordinates {
  readonly values: Float32Array;
  readonly gradients: Float32Array;
  /** Where each parameter's numbers lie in `values`: for weight decay. */
  readonly learned: readonly Pick<Parameter, 'dims' | 'offset' | 'data'>[];
  /** Takes over the gradients of the parameters: called when they are there. */
  gather(): void;
  /** Sets the parameters: called when the values have moved, and the place to hold values inside bounds. */
  changed(): void;
}

/** The parameters as they are. */
export function plainCoordinates(parameters: Parameters): Coordinates {
  const { values, gradients, learned } = parameters;
  return { values, gradients, learned, gather: () => {}, changed: () => parameters.changed() };
}
