// Shared by training and evaluation: images as inputs of a network, and yielding in long computations.
import { setImmediate } from 'node:timers/promises';
import { InvalidArgumentError } from '../core/errors.js';
import type { ImageSet } from '../data/image_set.js';
import { compatible, formatShape } from '../graph/dims.js';
import type { Graph } from '../graph/graph.js';

/** Lets timers and other events run: once a batch. */
export async function yieldToEvents(): Promise<void> {
  await setImmediate();
}

/** Names of the image input and of the logits; throws InvalidArgumentError when images do not fit. */
export function checkedInput(operation: string, graph: Graph, set: ImageSet): { input: string; output: string } {
  const [input, ...others] = graph.inputs;
  const [output] = graph.outputs;
  if (!input || !output || others.length > 0) {
    throw new InvalidArgumentError(operation, 'graph', 'one input and an output', `${graph.inputs.length} inputs`);
  }
  const image = ['N', set.channels, set.height, set.width];
  const dims = input.dims ?? image;
  if (dims.length !== image.length || !dims.every((dim, axis) => compatible(dim, image[axis] as number | string))) {
    throw new InvalidArgumentError(operation, 'images', `shape ${formatShape(dims)}`, formatShape(image));
  }
  return { input: input.name, output: output.name };
}
