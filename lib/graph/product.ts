// A node as a product, by its operator's description: names of values, shape of the weight, and the weight as a matrix.
import { sizeOf } from '../core/shape.js';
import type { ImageWindow } from '../native/geometry.js';
import type { HostTensor } from '../tensor/host_tensor.js';
import { operatorOf, quantizableNodes } from './check.js';
import { GraphError } from './errors.js';
import type { ProductForm } from './facts.js';
import { describeNode, type Graph, type GraphNode } from './graph.js';
import { attributesOf } from './operator.js';

/** A node that multiplies by a weight. */
export interface ProductView extends ProductForm {
  /** Names of values; no addend: undefined. */
  readonly activation: string;
  readonly weight: string;
  readonly addend: string | undefined;
  /** Numbers of the inputs. */
  readonly activationInput: number;
  readonly weightInput: number;
  /** That an addend goes to; undefined where the operator adds nothing. */
  readonly addendInput: number | undefined;
  readonly weightDims: readonly number[];
  /** The weight in the integer kernels' layout: [channels, depth], n and k. */
  readonly channels: number;
  readonly depth: number;
  /** Input channels of one group. */
  readonly inChannels: number;
  /** Sizes of the window. */
  readonly kernel: readonly number[];
  /** The axes of the weight in the order of that matrix: output channels, window, input channels. */
  readonly order: readonly number[];
}

/** A node whose weight is an initializer; undefined where it has none or its operator no product. */
export function productView(graph: Graph, node: GraphNode): ProductView | undefined {
  const operator = operatorOf(node);
  const { product } = operator;
  const weightDims = product === 'none' ? undefined : graph.initializers.get(node.inputs[product.weight] ?? '')?.dims;
  if (product === 'none' || !weightDims) return undefined;
  const form = product.form(attributesOf(operator, node), weightDims);
  const { outAxis, inAxis } = form;
  const addendInput = product.addend === 'none' ? undefined : product.addend;
  const between = [...weightDims.keys()].filter((axis) => axis !== outAxis && axis !== inAxis);
  const channels = outAxis === undefined ? 1 : (weightDims[outAxis] as number);
  return {
    ...form,
    activation: node.inputs[product.activation] as string,
    weight: node.inputs[product.weight] as string,
    addend: (addendInput !== undefined && node.inputs[addendInput]) || undefined,
    activationInput: product.activation,
    weightInput: product.weight,
    addendInput,
    weightDims,
    channels,
    depth: sizeOf(weightDims) / channels,
    inChannels: weightDims[inAxis] as number,
    kernel: between.map((axis) => weightDims[axis] as number),
    order: [...(outAxis === undefined ? [] : [outAxis]), ...between, inAxis],
  };
}

/** Every quantizable node with its view, in order. */
export function productsOf(graph: Graph): (readonly [GraphNode, ProductView])[] {
  return quantizableNodes(graph).map((node) => [node, productView(graph, node) as ProductView]);
}

/** The inputs of a product with other operands. */
export function withOperands<Input>(view: ProductView, inputs: readonly Input[], x: Input, w: Input): Input[] {
  return inputs.map((input, i) => (i === view.activationInput ? x : i === view.weightInput ? w : input));
}

/** The window of a convolution over an input of these sizes. Throws GraphError. */
export function productWindow(node: GraphNode, dims: readonly number[], kernel: readonly number[]): ImageWindow {
  const operator = operatorOf(node);
  const { product } = operator;
  const fail = (what: string): never => {
    throw new GraphError(describeNode(node), what);
  };
  if (product === 'none' || product.window === 'none') return fail('expected a convolution, received none');
  const window = product.window(attributesOf(operator, node), dims, kernel, fail);
  return window ?? fail(`expected a window over images or lengths, received ${dims.length - 2} spatial dimensions`);
}

/** Elements of the weight, in the node's layout, from one output channel to the next. */
export function channelStride({ outAxis, weightDims }: ProductView): number {
  return sizeOf(outAxis === undefined ? weightDims : weightDims.slice(outAxis + 1));
}

/** The output channel of each element of the weight, in the node's layout. */
export function channelOf(view: ProductView): (index: number) => number {
  const stride = channelStride(view);
  const { channels } = view;
  return channels === 1 ? () => 0 : (index) => Math.floor(index / stride) % channels;
}

/** alpha · w as [channels, depth], a window's places outside its channels. */
export function weightMatrix(view: ProductView, weight: Float32Array): Float32Array {
  const { weightDims, inAxis, inChannels, channels, depth, alpha } = view;
  const [outStride, inStride] = [channelStride(view), sizeOf(weightDims.slice(inAxis + 1))];
  const places = depth / inChannels;
  const matrix = new Float32Array(weight.length);
  let at = 0;
  for (let n = 0; n < channels; n++) {
    for (let place = 0; place < places; place++) {
      let from = n * outStride + place;
      for (let c = 0; c < inChannels; c++, from += inStride) matrix[at++] = (weight[from] as number) * alpha;
    }
  }
  return matrix;
}

/** beta · c where c is a constant of one number, or one for each channel: [channels]. */
export function biasOf(graph: Graph, { addend, channels, beta }: ProductView): Float32Array | undefined {
  const c: HostTensor | undefined = graph.initializers.get(addend ?? '');
  const oneEach = c && sizeOf(c.dims) === channels && c.dims.at(-1) === channels;
  if (!c || (c.dims.length > 0 && !oneEach)) return undefined;
  return Float32Array.from({ length: channels }, (_, i) => Number(c.data[c.data.length === 1 ? 0 : i]) * beta);
}
