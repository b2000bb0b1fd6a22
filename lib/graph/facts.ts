// The answers in an operator's file: its product, fusion into the step before it, device kernel, rule for the scales of
// channels, independence of samples, and upgrades from operator sets before 13.
import type { BINARY, POOL_KIND, UNARY } from '../native/codes.js';
import type { ImageWindow } from '../native/geometry.js';
import type { HostTensor } from '../tensor/host_tensor.js';
import type { Dim } from './dims.js';
import type { GraphNode } from './graph.js';

/** One node of a graph, for the facts of its operator. */
export interface NodeView<Attributes = unknown> {
  readonly attributes: Attributes;
  /** Whether an optional input is there. */
  has(index: number): boolean;
  /** The value of an input that is an initializer. */
  constant(index: number): HostTensor | undefined;
}

/** Following nodes that a step can fuse: an addition, a ReLU, a clip (a ReLU is one). */
export type FusedWork = 'addition' | 'relu' | 'clip';

/** How a node can be fused into the step before it. */
export type Fusion<Attributes = unknown> =
  /** The sum of two values. */
  | { readonly as: 'addition' }
  /** Clips every element; `bounds` is undefined where these are computed. */
  | {
      readonly as: 'activation';
      /** A ReLU, also for NaN. */
      readonly rectifies: boolean;
      bounds(node: NodeView<Attributes>): readonly [low: number, high: number] | undefined;
    }
  /** Scales and shifts channels, axis 1, by constants: `affine` has them, or undefined where they are computed. */
  | { readonly as: 'affine'; affine(node: NodeView<Attributes>): ChannelAffine | undefined };

/** y = (x − center) · factor + shift, one of each a channel. */
export interface ChannelAffine {
  readonly center: Float32Array;
  readonly factor: Float64Array;
  readonly shift: Float32Array;
}

/** A node as a product: y[m, n] = alpha · Σ x[m, k] · w[n, k] + beta · c[n], the windows of images as rows of x. */
export interface ProductForm {
  /** `conv`: windows of an image, in groups of channels; `matmul`: rows of a matrix. */
  readonly kind: 'conv' | 'matmul';
  /** The weight's axis of output channels, n; undefined for a vector, which makes one. */
  readonly outAxis: number | undefined;
  /**
   * The weight's axis of input channels (of one group). Axes beside these two are of size one, or come last: a window.
   */
  readonly inAxis: number;
  /** The activation's axis of input channels; from the end where negative. */
  readonly channelAxis: number;
  readonly groups: number;
  /** Of the window along each spatial axis. */
  readonly strides: readonly number[];
  readonly alpha: number;
  readonly beta: number;
  /** The activation is [k, m]: its samples lie along its last axis. */
  readonly transposed: boolean;
}

/** How an operator multiplies its input by a weight that a policy can assign bits to. */
export interface ProductFacts<Attributes = unknown> {
  /** Numbers of its inputs; `addend` is c. */
  readonly activation: number;
  readonly weight: number;
  readonly addend: number | 'none';
  /** Whether there are integer kernels for a weight of this shape. */
  takes(weightDims: readonly number[]): boolean;
  form(attributes: Attributes, weightDims: readonly number[]): ProductForm;
  /** The window of a convolution over an input of these sizes. */
  readonly window: WindowOf<Attributes> | 'none';
}

type WindowOf<Attributes> = (
  attributes: Attributes,
  dims: readonly number[],
  kernel: readonly number[],
  fail: (what: string) => never,
) => ImageWindow | undefined;

/** What the device computes for a node, bit for bit as `float` does on the processor. */
export type DeviceUse<Attributes = unknown> =
  /** A function of each element; undefined: not in this use. */
  | { readonly kind: 'unary'; use(node: NodeView<Attributes>): UnaryUse | undefined }
  /** A function of two values that broadcast. */
  | { readonly kind: 'binary'; readonly name: Exclude<keyof typeof BINARY, 'addRelu'> }
  /** The same elements in another shape. */
  | { readonly kind: 'reshape' }
  /** A window over images; undefined: not in this use. */
  | {
      readonly kind: 'pool';
      pool(attributes: Attributes): keyof typeof POOL_KIND;
      window(attributes: Attributes, dims: readonly number[], fail: (what: string) => never): ImageWindow | undefined;
    };

export type UnaryUse = readonly [name: keyof typeof UNARY, p?: number | undefined, q?: number | undefined];

/**
 * Whether a sample's result is independent of the others, so that a batch may be computed in parts. `alone`: where the
 * first input has the batch and the others are the same for all samples; `between`: element by element, between batches
 * too.
 */
export type Samplewise = 'alone' | 'between' | 'unknown';

/** The slots of a value, one for each index along its channel axis. A value without them must keep its scale. */
export interface Slots {
  readonly axis: number;
  readonly ids: Int32Array;
}

/** One node, for the rule of the scales of its channels. */
export interface ChannelCall<Attributes = unknown> extends NodeView<Attributes> {
  readonly inputCount: number;
  /** Of an input; undefined: it must keep its scale, or is left out. */
  slots(index: number): Slots | undefined;
  dims(index: number): readonly Dim[];
  readonly outputDims: readonly Dim[];
  /** A float32 constant that only this input reads, so that it can be scaled. */
  scalable(index: number): HostTensor | undefined;
  fresh(axis: number, count: number): Slots;
  /** Slots that must keep their scale. */
  pinned(axis: number, count: number): Slots;
  /** Values with these slots must keep their scale. */
  pin(slots: Slots | undefined): void;
  /** Slot by slot; a single one with each of the others. */
  tie(a: Slots, b: Slots): void;
  /** Constant input `index` is scaled with `slots` along `axis`. */
  makes(index: number, axis: number, slots: Pick<Slots, 'ids'>): void;
  /** The same of a constant that is added. */
  shifts(index: number, axis: number, slots: Slots): void;
  /** Constant input `index` is scaled against `slots` along `axis`. */
  reads(index: number, axis: number, slots: Slots | undefined): void;
}

/**
 * The slots of a node's first output from those of its inputs. Scales are positive. Second outputs (indices, masks) do
 * not scale.
 */
export type ChannelRule<Attributes = unknown> = (call: ChannelCall<Attributes>) => Slots | undefined;

/** The context that an upgrade reads and adds to. */
export interface UpgradeCall {
  /** The file's operator set, before 13. */
  readonly opset: number;
  /** Shape of a value that earlier nodes make; undefined where it is unknown. */
  shapeOf(value: string): readonly Dim[] | undefined;
  /** A value that is in the file, or follows from what is; undefined where it is computed from inputs. */
  valueOf(value: string): HostTensor | undefined;
  /** Says what is changed, beside that the node is. */
  note(node: GraphNode, what: string): void;
  /** Makes a constant for an input of that name, which was an attribute; returns the constant's name. */
  constant(node: GraphNode, input: string, value: HostTensor): string;
  /** Puts a node before this one. */
  insert(node: GraphNode): void;
  /** Refuses a node without equivalent. */
  refuse(reason: string): never;
}

/** A node of an operator set before 13 converted to 13, by ONNX's changelog for the operator. */
export type Upgrade = (node: GraphNode, call: UpgradeCall) => GraphNode;
