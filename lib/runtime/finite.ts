// Outputs that are judged are finite numbers: NaN or infinity is refused, with the sample and the node that made it first.
import { Tape, Value } from '../autograd/tape.js';
import { GraphError } from '../graph/errors.js';
import { describeNode, type Graph, type GraphNode } from '../graph/graph.js';
import { Parameters } from '../graph/parameters.js';
import { Memory } from '../tensor/memory.js';
import { float } from './backends/float.js';
import { compile } from './program.js';

const isOutside = (value: number) => !Number.isFinite(value);

/** Place of the first value that is not finite, or −1. The logits of every policy pass here: no call for each. */
function firstOutside(values: Float32Array): number {
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (value - value !== 0) return i;
  }
  return -1;
}

/** Initializers with NaN or infinity in them, by name. */
export function unboundedWeights(graph: Graph): { readonly name: string; readonly value: number }[] {
  return [...graph.initializers].flatMap(([name, { dtype, data }]) => {
    const value = dtype === 'float32' ? (data as Float32Array).find(isOutside) : undefined;
    return value === undefined ? [] : [{ name, value }];
  });
}

/** What in full precision makes the first value that is not finite: an input, a weight or a node. */
function firstCause(graph: Graph, x: Value): string {
  if (x.data.some(isOutside)) return `input "${graph.inputs[0]?.name}" is not finite`;
  let first: GraphNode | undefined;
  const tape = new Tape({ memory: new Memory(), training: false, record: false });
  const inspect = (node: GraphNode, { data }: Value) => {
    first ??= data.some(isOutside) ? node : undefined;
  };
  const program = compile(graph, float());
  program.run({ [graph.inputs[0]?.name ?? '']: x }, { tape, parameters: new Parameters(graph), inspect });
  if (!first) return 'full precision is finite: it overflows where it is quantized';
  const weights = new Set(unboundedWeights(graph).map(({ name }) => name));
  const weight = first.inputs.find((name) => weights.has(name));
  const of = weight === undefined ? '' : `, whose weight "${weight}" is not finite`;
  return `first in ${describeNode(first)}${of}`;
}

/** One sample of a batch, where the network takes it without the others. */
function alone(graph: Graph, x: Value, sample: number): Value {
  if (typeof graph.inputs[0]?.dims?.[0] === 'number') return x;
  const size = x.size / (x.dims[0] as number);
  const data = Memory.borrow(x.data.subarray(sample * size, (sample + 1) * size));
  return new Value([1, ...x.dims.slice(1)], x.layout, data, false);
}

/**
 * Throws GraphError where outputs of a batch are not finite. values: [samples, …]; `x` is the batch as it was run, `start`
 * the number of its first sample.
 */
export function requireFinite(graph: Graph, values: Float32Array, samples: number, x: Value, start = 0): void {
  const at = firstOutside(values);
  if (at < 0) return;
  const sample = start + Math.floor((at * samples) / values.length);
  const received = `received ${values[at]}: output ${graph.outputs[0]?.name}, sample ${sample}`;
  throw new GraphError(
    graph.name,
    `expected finite logits, ${received}; ${firstCause(graph, alone(graph, x, sample - start))}`,
  );
}
