// Bias correction (Nagel et al., "Data-free quantization through weight equalization and bias correction", ICCV 2019,
// arXiv 1906.04721, section 4.2, the variant from data): what quantization adds to a channel on the mean, E[ỹ] − E[y], is
// taken off the bias of the product that makes it. Layer after layer: each is measured with those before it corrected,
// on integers.

import { toChannelsLast, toRows } from '../../autograd/ops/layout.js';
import { Tape } from '../../autograd/tape.js';
import { quantizableNodes } from '../../graph/check.js';
import type { Graph, GraphNode } from '../../graph/graph.js';
import { sampleSizes } from '../../graph/infer.js';
import { Parameters } from '../../graph/parameters.js';
import { prepare } from '../../graph/prepare.js';
import { biasOf, productView } from '../../graph/product.js';
import { float } from '../../runtime/backends/float.js';
import { integer } from '../../runtime/backends/integer.js';
import type { EvaluationData } from '../../runtime/evaluate_policies.js';
import { compile } from '../../runtime/program.js';
import { floats } from '../../tensor/host_tensor.js';
import { Memory } from '../../tensor/memory.js';
import { inputOf } from '../samples.js';
import { bitsFor, type Candidate, type Cure } from './cure.js';

/** Means of channels over images and places settle long before. */
const MOST_IMAGES = 512;
/** Fewer do not estimate a mean. */
const LEAST_IMAGES = 16;
/** All values of all images are held at once, in full precision and quantized: 256 MB each. */
const MOST_ELEMENTS = 2 ** 26;

/** Means of channels, the last axis of a matrix in memory. */
function channelMeans(values: Float32Array, channels: number): Float64Array {
  const sums = new Float64Array(channels);
  for (let i = 0; i < values.length; i += channels) {
    for (let c = 0; c < channels; c++) sums[c] = (sums[c] as number) + (values[i + c] as number);
  }
  return sums.map((sum) => (sum * channels) / values.length);
}

/** What each product makes, by value name. */
const products = (graph: Graph) => quantizableNodes(graph).map(({ outputs }) => outputs[0] as string);

/** How many of the images fit in memory with all values of the graph. */
function affordable(graph: Graph, images: number): number {
  const elements = sampleSizes(graph).reduce((sum, size) => sum + size, 1);
  return Math.min(images, MOST_IMAGES, Math.floor(MOST_ELEMENTS / elements));
}

/**
 * E[ỹ] − E[y] of every product's channels, by node, each with those before it corrected; ỹ on integers. `graph` of the
 * candidate has its constants folded; `x` are images as its input takes them.
 */
export function outputErrors(candidate: Candidate, x: EvaluationData): Map<string, Float64Array> {
  const { graph } = candidate;
  const [samples = 0] = x.dims;
  const program = compile(graph, integer(), { keep: products(graph) });
  const memory = new Memory();
  const tape = new Tape({ memory, training: false, record: false });
  const feeds = { [inputOf(graph).name]: tape.constant(x.inputs, x.dims, x.layout ?? 'rows') };
  const full = compile(graph, float(), { keep: products(graph) });
  const expected = full.run(feeds, { tape, parameters: new Parameters(graph) });
  const errors = new Map<string, Float64Array>();
  try {
    program.run(feeds, {
      bits: bitsFor(candidate, samples),
      inspect: ({ node, y, weights }) => {
        const full = expected.get(node.outputs[0] as string);
        if (!full) return;
        const channels = 'shape' in weights ? weights.shape[0] : weights.n;
        const means = channelMeans((y.layout === 'channelsLast' ? toChannelsLast : toRows)(tape, full).data, channels);
        const error = channelMeans(y.data, channels).map((mean, c) => mean - (means[c] as number));
        errors.set(node.name, error);
        // What follows sees the corrected output, as it will in the corrected network.
        for (let i = 0; i < y.data.length; i++) y.data[i] = (y.data[i] as number) - (error[i % channels] as number);
      },
    });
    return errors;
  } finally {
    program.dispose();
    memory.reset();
  }
}

/** The graph with `errors` taken off what the products of these names make. */
export function correctBiases(graph: Graph, errors: ReadonlyMap<string, Float64Array>): Graph {
  const initializers = new Map(graph.initializers);
  const nodes = graph.nodes.flatMap((node): GraphNode[] => {
    const error = errors.get(node.name);
    const product = error && productView(graph, node);
    if (!product) return [node];
    const name = `${node.name}/corrected`;
    const { addend, addendInput, beta } = product;
    const bias = biasOf(graph, product);
    if (addendInput !== undefined && beta !== 0 && (bias || addend === undefined)) {
      const corrected = Float32Array.from(error, (shift, c) => ((bias?.[c] ?? 0) - shift) / beta);
      initializers.set(name, floats([product.channels], corrected));
      return [{ ...node, inputs: Object.assign([...node.inputs], { [addendInput]: name }) }];
    }
    // Where there is no bias to put it in, an addition follows.
    const [output] = node.outputs as [string];
    initializers.set(
      name,
      floats(
        [product.channels],
        Float32Array.from(error, (shift) => -shift),
      ),
    );
    const plain = `${output}/uncorrected`;
    const addition = { name: `${name}/add`, operator: 'Add', inputs: [plain, name], outputs: [output], attributes: {} };
    return [{ ...node, outputs: [plain] }, addition];
  });
  const used = new Set(nodes.flatMap(({ inputs }) => inputs));
  for (const name of initializers.keys()) if (!used.has(name) && !graph.isOutput(name)) initializers.delete(name);
  return graph.with({ nodes, initializers });
}

export const biasCorrection: Cure = {
  name: 'bias correction',
  scene: 'clean',
  async apply(original, { samples }, { signal, onProgress }) {
    const candidate = { ...original, graph: prepare(original.graph) };
    const count = affordable(candidate.graph, samples.count);
    if (count < LEAST_IMAGES) return { reason: `${LEAST_IMAGES} images, all values at once, do not fit in memory` };
    signal?.throwIfAborted();
    const [data] = samples.take(Int32Array.from({ length: count }, (_, i) => i)).batches(count);
    const errors = outputErrors(candidate, data as EvaluationData);
    onProgress?.(1, 1);
    const graph = correctBiases(candidate.graph, errors);
    return { candidate: { ...candidate, graph }, what: `biases of ${errors.size} nodes, means over ${count} images` };
  },
};
