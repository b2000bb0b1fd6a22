// `faultline inspect model.onnx`: the network in a file, node by node.
import { loadModel } from '../graph/onnx/import.js';
import { simplify } from '../graph/passes/index.js';
import type { InputShapes } from '../graph/pin_inputs.js';
import { formatSummary, summarize } from '../graph/printer.js';

export interface InspectModelOptions {
  /** Print JSON, schema faultline.inspectModel/1. */
  readonly json?: boolean;
  /** Show the network as it would be quantized: constants and batch norms folded. */
  readonly fold?: boolean;
  /** Shapes for inputs whose dimensions the file leaves open. */
  readonly input?: InputShapes;
}

export interface ModelReport {
  /** For stdout. */
  readonly text: string;
  /** For stderr: what differs from the file, a sentence each. */
  readonly notes: readonly string[];
}

/** Throws what importing throws; every message names the file or the node. */
export async function inspectModel(path: string, options: InspectModelOptions = {}): Promise<ModelReport> {
  const { graph, notes } = await loadModel(path, { inputs: options.input });
  const simplified = options.fold ? simplify(graph) : { graph, log: [] };
  const summary = summarize(simplified.graph);
  const remarks = [...notes, ...simplified.log.map(({ what }) => what)];
  if (!options.json) return { text: formatSummary(summary), notes: remarks };
  const report = { schema: 'faultline.inspectModel/1', file: path, ...summary, notes: remarks };
  return { text: `${JSON.stringify(report, null, 2)}\n`, notes: [] };
}
