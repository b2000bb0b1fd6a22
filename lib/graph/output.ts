// The output of a network that is judged: a float32 value, put first. Where a network ends in a choice (ArgMax), what is
// chosen from says more than the choice.
import { operatorOf } from './check.js';
import { type Dim, formatShape } from './dims.js';
import { GraphError } from './errors.js';
import type { Graph, ValueInfo } from './graph.js';
import { inferShapes } from './infer.js';
import type { Operator } from './operator.js';

/** An output, as the choice of a task sees it. */
export interface Output {
  readonly name: string;
  readonly dims: readonly Dim[];
  /** Numbers of a sample; undefined where shapes leave it open. */
  readonly width: number | undefined;
  /** Whether it is a probability: the operator that makes it says so. */
  readonly probability: boolean;
}

/** What makes a value, past nodes that only give it another form: the operator's answer, and what it reads. */
function readoutOf(graph: Graph, name: string): { readonly readout: Operator['readout']; readonly from: string } {
  for (let value = name; ; ) {
    const maker = graph.producer(value);
    const readout = maker && operatorOf(maker).readout;
    const from = maker?.inputs[0] ?? '';
    if (readout !== 'same') return { readout, from };
    value = from;
  }
}

/** The first output. Throws GraphError where it is not float32. */
export function outputOf(graph: Graph): Output {
  const [output] = graph.outputs;
  const type = output && inferShapes(graph).get(output.name);
  if (!output || type?.dtype !== 'float32') {
    const received = output ? `"${output.name}": ${type?.dtype ?? output.dtype}` : 'none';
    throw new GraphError(graph.name, `expected a float32 output first, received ${received}; judgedOutput chooses one`);
  }
  const { dims } = type;
  const sample = dims.slice(1);
  const known = dims.length > 0 && sample.every((dim) => typeof dim === 'number');
  return {
    name: output.name,
    dims,
    width: known ? sample.reduce<number>((size, dim) => size * (dim as number), 1) : undefined,
    probability: readoutOf(graph, output.name).readout === 'probability',
  };
}

/** A float32 value that says what an output says: what it is chosen from, or itself; undefined where it is no float. */
function readable(graph: Graph, name: string): ValueInfo | undefined {
  const { readout, from } = readoutOf(graph, name);
  const value = readout === 'choice' ? from : name;
  const type = inferShapes(graph).get(value);
  return type?.dtype === 'float32' ? { name: value, ...type } : undefined;
}

/**
 * The graph with the output that is judged first, the others after it, and what is to be said of the choice: the output
 * of that name, else the first one, else the first that is float32. Throws GraphError naming all outputs where none is.
 */
export function judgedOutput(
  graph: Graph,
  name?: string,
): { readonly graph: Graph; readonly notes: readonly string[] } {
  const listed = graph.outputs.map((output) => `"${output.name}": ${output.dtype} ${formatShape(output.dims ?? [])}`);
  const first = graph.outputs[0];
  if (name !== undefined && !graph.isOutput(name)) {
    throw new GraphError(`output "${name}"`, `expected one of ${listed.join(', ')}`);
  }
  const floats = graph.outputs.filter(({ dtype }) => dtype === 'float32').map((output) => output.name);
  const tried = name === undefined ? [...(first?.dtype === 'float32' ? [] : floats), first?.name ?? ''] : [name];
  const chosen = tried.map((one) => readable(graph, one)).find((one) => one !== undefined);
  if (!chosen) throw new GraphError(graph.name, `expected a float32 output, received ${listed.join(', ') || 'none'}`);
  const others = graph.outputs.filter((output) => output.name !== chosen.name);
  const notes = [];
  if (!graph.isOutput(chosen.name)) {
    notes.push(`output "${tried.at(-1)}" is a choice: what it is chosen from, "${chosen.name}", is judged`);
  } else if (name === undefined && graph.outputs.length > 1) {
    const why = chosen.name === first?.name ? 'the first' : 'the first that is float32';
    notes.push(`of ${graph.outputs.length} outputs ${why}, "${chosen.name}", is judged; --output NAME chooses another`);
  }
  const output = graph.outputs.find((one) => one.name === chosen.name) ?? chosen;
  return { graph: first === output ? graph : graph.with({ outputs: [output, ...others] }), notes };
}
