// The scheme of one product in one run, how it is chosen, and which schemes have kernels.
import type { Value } from '../autograd/tape.js';
import { isPerSample, type Scheme } from '../format/scheme.js';
import { GraphError } from '../graph/errors.js';
import { describeNode, type GraphNode } from '../graph/graph.js';

/** How one product is quantized in one run. */
export interface ProductScheme {
  readonly scheme: Scheme;
  /** Bits of each sample's activation in place of the scheme's, [n]; for activations that are quantized per sample. */
  readonly sampleBits?: Uint8Array | undefined;
}

/** Chooses when a product's turn comes, seeing its activation; undefined: in float32. */
export type SchemeChooser = (node: GraphNode, activation: Value) => Scheme | ProductScheme | undefined;

/** What was chosen for a node, with its scheme checked for a kernel. */
export function productScheme(node: GraphNode, kind: 'conv' | 'matmul', chosen: Scheme | ProductScheme): ProductScheme {
  const product = 'scheme' in chosen ? chosen : { scheme: chosen };
  const { scheme, sampleBits } = product;
  requireKernel(node, kind, scheme);
  if (sampleBits && !isPerSample(scheme.activations)) {
    const expected = 'activations that are quantized per sample, where bits differ by sample';
    throw new GraphError(describeNode(node), `scheme: expected ${expected}, received ${scheme.name}`);
  }
  return product;
}

/** Bits of the activation: one number, or one for each sample. */
export function activationBits({ scheme, sampleBits }: ProductScheme): number | Uint8Array {
  return sampleBits ?? scheme.activations.format.bits;
}

/** What packWeights takes. */
const LEAST_BLOCK = 16;
const MOST_BLOCK = 16384;

/** Throws GraphError, naming node and scheme, where no kernel computes a product so. */
function requireKernel(node: GraphNode, kind: 'conv' | 'matmul', { name, weights, activations }: Scheme): void {
  const fail = (expected: string): never => {
    throw new GraphError(describeNode(node), `scheme: expected ${expected}, received ${name}`);
  };
  if (weights.format.kind === 'float') fail('integer weights (exclude the node to leave it in float32)');
  if (activations.format.weightCodes) fail('activations of int2 … int8 or float32');
  if (weights.format.weightCodes && weights.granularity.kind !== 'perChannel') fail('a scale for each output channel');
  if (kind === 'conv' && activations.granularity.kind === 'perToken') {
    fail('activation ranges per sample or /tensor: a convolution has no tokens');
  }
  if (weights.granularity.kind !== 'perGroup') return;
  const { blockSize } = weights.granularity;
  const isPower = Number.isSafeInteger(Math.log2(blockSize));
  if (!isPower || blockSize < LEAST_BLOCK || blockSize > MOST_BLOCK) {
    fail(`groups of a power of two from ${LEAST_BLOCK} to ${MOST_BLOCK}`);
  }
}
