// Strides, dilations, padding and output size of a convolution on integer kernels.
import { operatorOf } from '../graph/check.js';
import { GraphError } from '../graph/errors.js';
import { describeNode, type GraphNode } from '../graph/graph.js';
import { attributesOf } from '../graph/operator.js';
import { imageAxes, type WindowAxis } from '../graph/operators/window.js';
import type { ConvProduct } from './product.js';

/** Geometry of a convolution for one size of image (or length), in the order conv2dDynamic takes it. */
interface ConvGeometry {
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  readonly padding: readonly [number, number, number, number];
  readonly output: readonly [number, number];
}

// Runs repeat: each product keeps the geometry of the size it met last.
const lastGeometry = new WeakMap<
  ConvProduct,
  { readonly spatial: readonly number[]; readonly geometry: ConvGeometry }
>();

/** Of a convolution whose input has these dimensions, [N, C, H, W] or [N, C, L]. */
export function convGeometry(node: GraphNode, product: ConvProduct, dims: readonly number[]): ConvGeometry {
  const last = lastGeometry.get(product);
  if (last && last.spatial.length === dims.length - 2 && last.spatial.every((size, i) => size === dims[i + 2])) {
    return last.geometry;
  }
  const fail = (what: string): never => {
    throw new GraphError(describeNode(node), what);
  };
  const attributes = attributesOf(operatorOf(node), node) as unknown as Parameters<typeof imageAxes>[0];
  const spatial = dims.slice(2);
  const [h, v] = imageAxes(attributes, spatial, product.shape.slice(3 - spatial.length, 3), fail) as [
    WindowAxis,
    WindowAxis,
  ];
  const geometry: ConvGeometry = {
    strides: [h.stride, v.stride],
    dilations: [h.dilation, v.dilation],
    padding: [h.padBegin, v.padBegin, h.padEnd, v.padEnd],
    output: [h.output, v.output],
  };
  lastGeometry.set(product, { spatial, geometry });
  return geometry;
}
