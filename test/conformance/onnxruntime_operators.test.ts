// The reference forward beside onnxruntime on random shapes and attributes: what ONNX's tests leave out (operators of
// newer sets, odd strides, groups, dilations, ceil_mode with padding).
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { GraphBuilder } from '../../lib/graph/builder.js';
import { GraphError } from '../../lib/graph/errors.js';
import type { AttributeValue, Graph } from '../../lib/graph/graph.js';
import { inferShapes } from '../../lib/graph/infer.js';
import { runReference } from '../../lib/graph/reference.js';
import { floats, type HostTensor, integers } from '../../lib/tensor/host_tensor.js';
import { Random } from '../../lib/tensor/random.js';
import { randomTensor, relativeDifference, runOnnxruntime } from '../support/onnxruntime.js';

/**
 * onnxruntime sums up to some 200 products in float32: an error of at most 200 · 2^−24 = 1.2e-5 of the sum of their sizes,
 * in practice (errors add up like √n) 1e-6; its exp and erf are good to a few 2^−23. Inputs are of size 1, and so are the
 * sums: where a single one comes out near 0, its error does not.
 */
const MAX_RELATIVE_DIFFERENCE = 1e-5;
const RUNS = 25;

interface Case {
  /** Shapes of the inputs that are fed, and constants. */
  readonly inputs: readonly (readonly number[] | HostTensor)[];
  readonly attributes: Record<string, AttributeValue>;
  readonly opset?: number;
  readonly outputs?: number;
}

/** The graph of one node; undefined where the case is none (a window larger than its input). */
function graphOf(operator: string, { inputs, attributes, opset = 20, outputs = 1 }: Case): Graph | undefined {
  const builder = new GraphBuilder('case', opset);
  const names = inputs.map((input, index) => {
    return 'dtype' in input ? builder.initializer(`c${index}`, input) : builder.input(`x${index}`, input);
  });
  try {
    builder.node('y', operator, names, { attributes, outputs });
  } catch (error) {
    if (error instanceof GraphError && /does not fit/.test(error.message)) return undefined;
    throw error;
  }
  builder.output('y');
  for (let index = 1; index < outputs; index++) builder.output(`y.${index}`);
  return builder.build();
}

async function agrees(operator: string, example: Case, seed: number): Promise<void> {
  const graph = graphOf(operator, example);
  if (!graph) return;
  const random = new Random(seed);
  const feeds = Object.fromEntries(
    graph.inputs.map(({ name, dims }) => [name, randomTensor(random, dims as number[])]),
  );
  const own = runReference(graph, feeds);
  const theirs = await runOnnxruntime(graph, feeds);
  const types = inferShapes(graph);
  for (const { name } of graph.outputs) {
    const [actual, expected] = [own.get(name), theirs.get(name)] as [HostTensor, HostTensor];
    assert.deepEqual(actual.dims, expected.dims);
    assert.deepEqual(types.get(name)?.dims, expected.dims);
    if (expected.dtype === 'int64') assert.deepEqual(actual.data, expected.data);
    else {
      const difference = relativeDifference(actual, expected, 1);
      assert.ok(difference <= MAX_RELATIVE_DIFFERENCE, `${difference}`);
    }
  }
}

const size = (min: number, max: number) => fc.integer({ min, max });
const list = (item: fc.Arbitrary<number>, length: number) => fc.array(item, { minLength: length, maxLength: length });

/** Spatial sizes and window attributes for a rank of 1 to 3. */
const windows = size(1, 3).chain((rank) =>
  fc.record({
    spatial: list(size(1, 9), rank),
    kernel: list(size(1, 4), rank),
    strides: list(size(1, 3), rank),
    dilations: list(size(1, 2), rank),
    padding: list(size(0, 1), 2 * rank),
    auto: fc.constantFrom('NOTSET', 'SAME_UPPER', 'SAME_LOWER', 'VALID'),
  }),
);

function windowAttributes(window: {
  strides: number[];
  dilations: number[];
  padding: number[];
  auto: string;
  kernel: number[];
}) {
  const { strides, dilations, padding, auto, kernel } = window;
  // onnxruntime requires pads smaller than the kernel and, with automatic ones, no dilation and no stride past the kernel
  const pads = padding.map((pad, index) => Math.min(pad, (kernel[index % kernel.length] as number) - 1));
  if (auto === 'NOTSET') return { strides, dilations, pads };
  return { strides: strides.map((stride, axis) => Math.min(stride, kernel[axis] as number)), auto_pad: auto };
}

const CASES: Readonly<Record<string, fc.Arbitrary<Case>>> = {
  Conv: fc
    .record({
      window: windows,
      batch: size(1, 2),
      groups: size(1, 3),
      inner: size(1, 3),
      outer: size(1, 3),
      bias: fc.boolean(),
    })
    .map(({ window, batch, groups, inner, outer, bias }) => ({
      inputs: [
        [batch, groups * inner, ...window.spatial],
        [groups * outer, inner, ...window.kernel],
        ...(bias ? [[groups * outer]] : []),
      ],
      attributes: { ...windowAttributes(window), group: groups },
    })),
  MaxPool: fc.record({ window: windows, ceil: size(0, 1), indices: fc.boolean() }).map(({ window, ceil, indices }) => ({
    inputs: [[2, 2, ...window.spatial]],
    attributes: { ...windowAttributes(window), kernel_shape: window.kernel, ceil_mode: ceil },
    outputs: indices ? 2 : 1,
  })),
  AveragePool: fc
    .record({ window: windows, ceil: size(0, 1), include: size(0, 1) })
    .map(({ window, ceil, include }) => ({
      inputs: [[2, 2, ...window.spatial]],
      attributes: {
        ...windowAttributes(window),
        kernel_shape: window.kernel,
        ceil_mode: ceil,
        count_include_pad: include,
      },
    })),
  Pad: fc
    .record({
      dims: fc.tuple(size(3, 5), size(3, 5)),
      pads: list(size(0, 2), 2),
      axis: size(-2, 1),
      mode: fc.constantFrom('constant', 'reflect', 'edge', 'wrap'),
    })
    .map(({ dims, pads, axis, mode }) => ({
      inputs: [dims, integers(pads), floats([], [1.5]), integers([axis])],
      attributes: { mode },
    })),
  ReduceMean: fc
    .record({
      dims: list(size(1, 4), 3),
      axes: fc.subarray([0, 1, -1]),
      keep: size(0, 1),
      noop: size(0, 1),
      old: fc.boolean(),
    })
    .map(({ dims, axes, keep, noop, old }) => {
      if (old && axes.length > 0) return { inputs: [dims], attributes: { axes, keepdims: keep }, opset: 17 };
      return { inputs: [dims, integers(axes)], attributes: { keepdims: keep, noop_with_empty_axes: noop } };
    }),
  Gemm: fc
    .record({ m: size(1, 5), k: size(1, 20), n: size(1, 5), transA: size(0, 1), transB: size(0, 1), c: size(0, 3) })
    .map(({ m, k, n, transA, transB, c }) => ({
      inputs: [
        transA ? [k, m] : [m, k],
        transB ? [n, k] : [k, n],
        ...(([[], [[n]], [[m, 1]], [[m, n]]] as number[][][])[c] as number[][]),
      ],
      attributes: { transA, transB, alpha: 0.5, beta: 2 },
    })),
  MatMul: fc
    .record({
      batch: list(size(2, 3), 2),
      m: size(1, 4),
      k: size(1, 20),
      n: size(1, 4),
      left: size(0, 3),
      right: size(0, 3),
    })
    .map(({ batch, m, k, n, left, right }) => ({
      inputs: [
        left === 0 ? [k] : [...batch.slice(3 - left), m, k],
        right === 0 ? [k] : [...batch.slice(3 - right), k, n],
      ],
      attributes: {},
    })),
  LayerNormalization: fc
    .record({ dims: list(size(2, 5), 3), axis: size(-2, 2), bias: fc.boolean() })
    .map(({ dims, axis, bias }) => {
      const normalized = dims.slice(axis < 0 ? axis + 3 : axis);
      return { inputs: [dims, normalized, ...(bias ? [normalized] : [])], attributes: { axis, epsilon: 1e-3 } };
    }),
  Gelu: fc.constantFrom('none', 'tanh').map((approximate) => ({ inputs: [[500]], attributes: { approximate } })),
  HardSwish: fc.constant({ inputs: [[100]], attributes: {} }),
  Softmax: fc
    .record({ dims: list(size(1, 5), 3), axis: size(-3, 2) })
    .map(({ dims, axis }) => ({ inputs: [dims], attributes: { axis } })),
  Transpose: fc
    .record({ dims: list(size(1, 4), 4), perm: fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 }) })
    .map(({ dims, perm }) => ({ inputs: [dims], attributes: { perm } })),
  Concat: fc
    .record({
      dims: list(size(1, 4), 3),
      axis: size(-3, 2),
      sizes: fc.array(size(0, 3), { minLength: 1, maxLength: 4 }),
    })
    .map(({ dims, axis, sizes }) => ({
      inputs: sizes.map((each) => dims.with(axis, each)),
      attributes: { axis },
    })),
  Gather: fc
    .record({
      dims: list(size(2, 4), 3),
      axis: size(-3, 2),
      indices: fc.array(size(-2, 1), { minLength: 1, maxLength: 4 }),
    })
    .map(({ dims, axis, indices }) => ({
      inputs: [dims, integers(indices, [1, indices.length])],
      attributes: { axis },
    })),
};

describe('the reference forward beside onnxruntime', () => {
  for (const [operator, cases] of Object.entries(CASES)) {
    it(operator, async () => {
      await fc.assert(
        fc.asyncProperty(cases, fc.nat(), (example, seed) => agrees(operator, example, seed)),
        { numRuns: RUNS },
      );
    });
  }
});
