// Dimensions of inputs that a file leaves to run time (N, height, width), fixed by who loads it.
import { compatible, type Dim, formatShape } from './dims.js';
import { GraphError } from './errors.js';
import type { Graph } from './graph.js';

/** Shapes of inputs by name: `{ x: ['N', 3, 48, 320] }` leaves the batch open. */
export type InputShapes = Readonly<Record<string, readonly Dim[]>>;

/** The graph with these inputs of these shapes. Throws GraphError where there is no such input, or it cannot have it. */
export function pinInputs(graph: Graph, shapes: InputShapes): Graph {
  const names = graph.inputs.map(({ name }) => name);
  for (const name of Object.keys(shapes)) {
    if (!names.includes(name))
      throw new GraphError(`input "${name}"`, `there is none; expected one of ${names.join(', ')}`);
  }
  const inputs = graph.inputs.map((input) => {
    const dims = Object.hasOwn(shapes, input.name) ? shapes[input.name] : undefined;
    if (!dims) return input;
    const whole = dims.every((dim) => typeof dim === 'string' || (Number.isSafeInteger(dim) && dim >= 0));
    const declared = input.dims ?? dims;
    const fits = declared.length === dims.length && dims.every((dim, axis) => compatible(dim, declared[axis] as Dim));
    if (!whole || !fits) {
      throw new GraphError(
        `input "${input.name}"`,
        `expected shape ${formatShape(declared)}, received ${formatShape(dims)}`,
      );
    }
    return { ...input, dims: [...dims] };
  });
  return graph.with({ inputs });
}
