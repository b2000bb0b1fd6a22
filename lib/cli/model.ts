// The model of a command.
import type { Graph } from '../graph/graph.js';
import { loadModel } from '../graph/onnx/import.js';
import { judgedOutput, outputOf } from '../graph/output.js';
import { unboundedWeights } from '../runtime/finite.js';
import { chooseTask } from '../tasks/index.js';
import { argument } from './option.js';
import { Progress } from './progress.js';

/** The argument of every command that works on a model. */
export const MODEL = { model: argument('model.onnx', 'a network as ONNX') };

/** Reads a file and says on stderr what the graph says differently. Throws what loadModel throws, naming the file. */
export async function readGraph(path: string, progress = new Progress()): Promise<Graph> {
  const { graph, notes } = await loadModel(path);
  const weights = unboundedWeights(graph).map(({ name, value }) => `weight "${name}" has ${value} in it`);
  progress.notes([...notes, ...weights]);
  return graph;
}

/** Which output is judged, and by which task. */
export interface JudgedFlags {
  readonly task?: string | undefined;
  readonly output?: string | undefined;
}

/** The graph with the output that is judged first; says which, and the task where outputs tell it. Throws GraphError. */
export function judged(file: Graph, { task: name, output }: JudgedFlags, progress = new Progress()): Graph {
  const { graph, notes } = judgedOutput(file, output);
  const { task, why } = chooseTask(graph, name);
  const doubt = task.doubt(outputOf(graph), true);
  progress.notes([...notes, ...(why ? [why] : []), ...(doubt ? [doubt] : [])]);
  return graph;
}

/** A file as it is judged. */
export async function readJudged(path: string, flags: JudgedFlags, progress = new Progress()): Promise<Graph> {
  return judged(await readGraph(path, progress), flags, progress);
}
