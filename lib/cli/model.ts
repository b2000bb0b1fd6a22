// Prepares the model of a command: computed weights are folded, so that they can be quantized.
import { outputDoubt } from '../assess/samples.js';
import type { Graph } from '../graph/graph.js';
import { loadModel } from '../graph/onnx/import.js';
import { foldConstants } from '../graph/passes/fold_constants.js';
import { widenHalf } from '../graph/passes/widen_half.js';
import { argument } from './option.js';
import { Progress } from './progress.js';

/** The argument of every command that works on a model. */
export const MODEL = { model: argument('model.onnx', 'a network as ONNX') };

/** Reads a file and says on stderr what the graph says differently. Throws what loadModel throws, naming the file. */
export async function readGraph(path: string, progress = new Progress()): Promise<Graph> {
  const { graph, notes } = await loadModel(path);
  const wide = widenHalf(graph);
  const folded = foldConstants(wide.graph);
  const [half] = wide.log;
  const made = folded.log.length;
  const doubt = outputDoubt(folded.graph);
  const [output, ...others] = graph.outputs;
  progress.notes([
    ...notes,
    ...(half ? [half.what] : []),
    ...(made > 0 ? [`${made} nodes of constants alone are initializers now`] : []),
    ...(others.length > 0
      ? [`of ${others.length + 1} outputs the first, "${output?.name}", is taken for the logits`]
      : []),
    ...(doubt ? [doubt] : []),
  ]);
  return folded.graph;
}
