// Dimensions of inputs that a file leaves to run time (N, height, width), fixed on loading.
import { compatible, type Dim, formatShape } from './dims.js';
import { GraphError } from './errors.js';
import type { Graph } from './graph.js';

/** Shapes of inputs by name: `{ x: ['N', 3, 48, 320] }` leaves the batch open. */
export type InputShapes = Readonly<Record<string, readonly Dim[]>>;

/** The graph with these inputs of these shapes. Throws GraphError for unknown inputs and for shapes that do not fit. */
export function pinInputs(graph: Graph, shapes: InputShapes): Graph {
  const names = graph.inputs.map(({ name }) => name);
  for (const name of Object.keys(shapes)) {
    if (!names.includes(name))
      throw new GraphError(`input "${name}"`, `expected one of ${names.join(', ')}, received no such input`);
  }
  const inputs = graph.inputs.map((input) => {
    const dims = Object.hasOwn(shapes, input.name) ? shapes[input.name] : undefined;
    if (!dims) return input;
    const valid = dims.every((dim) => typeof dim === 'string' || (Number.isSafeInteger(dim) && dim >= 0));
    const declared = input.dims ?? dims;
    const fits = declared.length === dims.length && dims.every((dim, axis) => compatible(dim, declared[axis] as Dim));
    if (!valid || !fits) {
      throw new GraphError(
        `input "${input.name}"`,
        `expected shape ${formatShape(declared)}, received ${formatShape(dims)}`,
      );
    }
    return { ...input, dims: [...dims] };
  });
  return graph.with({ inputs });
}
