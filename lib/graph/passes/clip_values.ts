// Clips values to ranges by a Clip node behind each. Inside its range a value keeps every bit.
import { floats } from '../../tensor/host_tensor.js';
import { GraphError } from '../errors.js';
import type { Graph, GraphNode } from '../graph.js';
import type { PassResult, Rewrite } from './rewrite.js';

/** Least and largest, finite. */
export type ValueRange = readonly [number, number];

/** The end of the names of what is added. */
const SUFFIX = '/clip';

/**
 * Clip nodes behind the values of these names, graph inputs or results of nodes, float32; all nodes that read a value
 * read the clipped one. Graph outputs are unchanged. Throws GraphError for other names, and for empty or infinite
 * ranges.
 */
export function clipValues(graph: Graph, ranges: ReadonlyMap<string, ValueRange>): PassResult {
  const initializers = new Map(graph.initializers);
  const renamed = new Map<string, string>();
  const log: Rewrite[] = [];
  const clipOf = (value: string, [low, high]: ValueRange): GraphNode => {
    if (!(Number.isFinite(low) && Number.isFinite(high) && low <= high)) {
      throw new GraphError(`value "${value}"`, `expected finite bounds in order, received ${low} … ${high}`);
    }
    const name = `${value}${SUFFIX}`;
    const bounds = [`${name}/low`, `${name}/high`] as const;
    initializers.set(bounds[0], floats([], [low]));
    initializers.set(bounds[1], floats([], [high]));
    renamed.set(value, name);
    log.push({ pass: 'clipValues', node: name, what: `"${value}" clipped to ${low} … ${high}` });
    return { name, operator: 'Clip', inputs: [value, ...bounds], outputs: [name], attributes: {} };
  };
  const clipped = (values: readonly string[]) =>
    values.flatMap((value) => {
      const range = ranges.get(value);
      return range ? [clipOf(value, range)] : [];
    });
  const nodes = clipped(graph.inputs.map(({ name }) => name));
  for (const node of graph.nodes) {
    nodes.push({ ...node, inputs: node.inputs.map((name) => renamed.get(name) ?? name) }, ...clipped(node.outputs));
  }
  const unknown = [...ranges.keys()].find((value) => !renamed.has(value));
  if (unknown !== undefined) throw new GraphError(graph.name, `has no input or result of a node "${unknown}"`);
  return { graph: log.length > 0 ? graph.with({ nodes, initializers }) : graph, log };
}
