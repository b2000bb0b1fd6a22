// The geometry of convolutions and pools: lengths of outputs, and the numbers that native operations read.
import { GEOMETRY_FIELD } from './codes.js';

/** Sizes, strides and pads are int32. */
export const MAX_DIMENSION = 2 ** 31 - 1;

/** Outputs along one axis; 0 when the window does not fit. `pads`: both ends together. */
export function windowOutputs(size: number, kernel: number, stride: number, dilation: number, pads: number): number {
  const free = size + pads - (dilation * (kernel - 1) + 1);
  return free < 0 ? 0 : Math.floor(free / stride) + 1;
}

type Pair = readonly [vertical: number, horizontal: number];

/** A convolution of images, or a pool, which is one with as many groups and output channels as channels. */
interface Geometry {
  readonly image: readonly [n: number, h: number, w: number, c: number];
  readonly strides: Pair;
  readonly dilations: Pair;
  readonly pads: readonly [top: number, left: number, bottom: number, right: number];
  readonly kernel: Pair;
  readonly outChannels: number;
  readonly groups: number;
  /** A pool's, which may be rounded up; a convolution's is computed. */
  readonly output?: Pair;
}

/** The numbers in the order of GEOMETRY_FIELD, to `groups` or, with `output`, to the end. */
export function geometryNumbers(g: Geometry): number[] {
  const numbers: number[] = [];
  const set = (first: number, values: readonly number[]) => {
    for (let i = 0; i < values.length; i++) numbers[first + i] = values[i] as number;
  };
  set(GEOMETRY_FIELD.n, g.image);
  set(GEOMETRY_FIELD.strideH, g.strides);
  set(GEOMETRY_FIELD.dilationH, g.dilations);
  set(GEOMETRY_FIELD.padTop, g.pads);
  set(GEOMETRY_FIELD.kernelH, g.kernel);
  set(GEOMETRY_FIELD.outChannels, [g.outChannels, g.groups]);
  if (g.output) set(GEOMETRY_FIELD.outH, g.output);
  return numbers;
}
