// What exporters write for layers that ONNX has no operator for, beside onnxruntime: each pattern as PyTorch and Paddle
// export it, on the float interpreter as it is and simplified, and on the integer interpreter with nothing quantized.

import assert from 'node:assert/strict';
import { GraphBuilder } from '../../lib/graph/builder.js';
import type { AttributeValue, Graph } from '../../lib/graph/graph.js';
import { simplify } from '../../lib/graph/passes/index.js';
import { runFloat } from '../../lib/runtime/backends/float.js';
import { integer } from '../../lib/runtime/backends/integer.js';
import { compile } from '../../lib/runtime/program.js';
import { floats, type HostTensor, integers } from '../../lib/tensor/host_tensor.js';
import { Random } from '../../lib/tensor/random.js';
import { randomTensor, relativeDifference, runOnnxruntime } from '../support/onnxruntime.js';

/** Of single layers of float32, sums of up to some hundred terms and a few functions: well above their rounding. */
const TOLERANCE = 1e-4;

class Pattern {
  readonly builder = new GraphBuilder('pattern', 17);
  private readonly random = new Random(1);
  private count = 0;

  input(...dims: (number | string)[]): string {
    return this.builder.input('x', dims);
  }

  weight(...dims: number[]): string {
    const { data } = randomTensor(this.random, dims);
    const size = dims.slice(1).reduce((product, dim) => product * dim, 1);
    return this.constant(
      floats(
        dims,
        data.map((number) => number / Math.sqrt(size)),
      ),
    );
  }

  constant(tensor: HostTensor): string {
    return this.builder.initializer(`c${this.count++}`, tensor);
  }

  scalar(number: number): string {
    return this.constant(floats([], [number]));
  }

  ints(...numbers: number[]): string {
    return this.constant(integers(numbers));
  }

  node(operator: string, inputs: string[], attributes: Record<string, AttributeValue> = {}, outputs = 1): string {
    return this.builder.node(`n${this.count++}`, operator, inputs, { attributes, outputs });
  }
}

function layerNorm(p: Pattern, x: string, size: number): string {
  const mean = p.node('ReduceMean', [x], { axes: [-1] });
  const centered = p.node('Sub', [x, mean]);
  const variance = p.node('ReduceMean', [p.node('Pow', [centered, p.scalar(2)])], { axes: [-1] });
  const deviation = p.node('Sqrt', [p.node('Add', [variance, p.scalar(1e-5)])]);
  return p.node('Add', [p.node('Mul', [p.node('Div', [centered, deviation]), p.weight(size)]), p.weight(size)]);
}

function gelu(p: Pattern, x: string): string {
  const erf = p.node('Erf', [p.node('Div', [x, p.scalar(Math.SQRT2)])]);
  return p.node('Mul', [p.node('Mul', [x, p.node('Add', [erf, p.scalar(1)])]), p.scalar(0.5)]);
}

/** x.size(axis) as a list of one. */
function sizeOf(p: Pattern, x: string, axis: number): string {
  const size = p.node('Gather', [p.node('Shape', [x]), p.constant(integers([axis], []))], { axis: 0 });
  return p.node('Unsqueeze', [size, p.ints(0)]);
}

const PATTERNS: Readonly<Record<string, (p: Pattern) => string>> = {
  'squeeze and excitation with HardSwish by parts': (p) => {
    const x = p.node('Conv', [p.input('N', 3, 12, 10), p.weight(8, 3, 3, 3), p.weight(8)], { pads: [1, 1, 1, 1] });
    const pooled = p.node('ReduceMean', [x], { axes: [2, 3] });
    const squeezed = p.node('Relu', [p.node('Conv', [pooled, p.weight(4, 8, 1, 1), p.weight(4)])]);
    const gate = p.node('HardSigmoid', [p.node('Conv', [squeezed, p.weight(8, 4, 1, 1), p.weight(8)])]);
    const scaled = p.node('Mul', [x, gate]);
    const six = p.node('Clip', [p.node('Add', [scaled, p.scalar(3)]), p.scalar(0), p.scalar(6)]);
    return p.node('Div', [p.node('Mul', [scaled, six]), p.scalar(6)]);
  },
  'channel shuffle over computed shapes': (p) => {
    const x = p.node('Conv', [p.input('N', 3, 8, 8), p.weight(8, 3, 1, 1)]);
    const [batch, height, width] = [0, 2, 3].map((axis) => sizeOf(p, x, axis)) as [string, string, string];
    const apart = p.node('Concat', [batch, p.ints(2), p.ints(4), height, width], { axis: 0 });
    const swapped = p.node('Transpose', [p.node('Reshape', [x, apart])], { perm: [0, 2, 1, 3, 4] });
    const joined = p.node('Reshape', [swapped, p.node('Concat', [batch, p.ints(-1), height, width], { axis: 0 })]);
    const left = p.node('Slice', [joined, p.ints(0), p.ints(4), p.ints(1)]);
    const right = p.node('Slice', [joined, p.ints(4), p.ints(2 ** 40), p.ints(1)]);
    return p.node('Concat', [p.node('Conv', [right, p.weight(4, 1, 3, 3)], { group: 4, pads: [1, 1, 1, 1] }), left], {
      axis: 1,
    });
  },
  'a transformer block: layer norm, attention, GELU': (p) => {
    const x = p.input('N', 5, 12);
    const normal = layerNorm(p, x, 12);
    const split = p.node('Split', [p.node('MatMul', [normal, p.weight(12, 36)])], { axis: 2 }, 3);
    const heads = (part: string, perm: number[]) => {
      const shape = p.node('Concat', [sizeOf(p, x, 0), p.ints(5, 3, 4)], { axis: 0 });
      return p.node('Transpose', [p.node('Reshape', [part, shape])], { perm });
    };
    const query = heads(split, [0, 2, 1, 3]);
    const key = heads(`${split}.1`, [0, 2, 3, 1]);
    const values = heads(`${split}.2`, [0, 2, 1, 3]);
    const scores = p.node('Div', [p.node('MatMul', [query, key]), p.scalar(2)]);
    const mixed = p.node('MatMul', [p.node('Softmax', [scores], { axis: -1 }), values]);
    const shape = p.node('Concat', [sizeOf(p, x, 0), p.ints(5, 12)], { axis: 0 });
    const joined = p.node('Reshape', [p.node('Transpose', [mixed], { perm: [0, 2, 1, 3] }), shape]);
    const residual = p.node('Add', [x, p.node('MatMul', [joined, p.weight(12, 12)])]);
    return p.node('MatMul', [gelu(p, p.node('MatMul', [residual, p.weight(12, 24)])), p.weight(24, 6)]);
  },
  'a class token repeated for each sample': (p) => {
    const x = p.input('N', 4, 6);
    const shape = p.node('Concat', [sizeOf(p, x, 0), p.ints(-1), p.ints(-1)], { axis: 0 });
    const ones = p.node('ConstantOfShape', [p.node('Shape', [shape])], { value: integers([1]) });
    const negative = p.node('Equal', [shape, p.node('Mul', [ones, p.constant(integers([-1], []))])]);
    const token = p.node('Expand', [p.weight(1, 1, 6), p.node('Where', [negative, ones, shape])]);
    return p.node('Squeeze', [
      p.node('Slice', [p.node('Concat', [token, x], { axis: 1 }), p.ints(0), p.ints(1), p.ints(1)]),
      p.ints(1),
    ]);
  },
  'a detector head: upsampled features, transposed convolution': (p) => {
    const x = p.node('Relu', [p.node('Conv', [p.input('N', 3, 8, 6), p.weight(6, 3, 3, 3)], { pads: [1, 1, 1, 1] })]);
    const none = p.constant(floats([0], []));
    const up = (mode: string, coordinates: string) =>
      p.node('Resize', [x, none, p.constant(floats([4], [1, 1, 2, 2]))], {
        mode,
        coordinate_transformation_mode: coordinates,
        nearest_mode: 'floor',
      });
    const sum = p.node('Add', [up('nearest', 'asymmetric'), up('linear', 'pytorch_half_pixel')]);
    return p.node('Sigmoid', [p.node('ConvTranspose', [sum, p.weight(6, 1, 2, 2), p.weight(1)], { strides: [2, 2] })]);
  },
  'convolutions over lengths': (p) => {
    const x = p.input('N', 4, 30);
    const y = p.node('Relu', [p.node('Conv', [x, p.weight(8, 4, 5), p.weight(8)], { strides: [2], pads: [2, 2] })]);
    const pooled = p.node('MaxPool', [y], { kernel_shape: [3], strides: [2] });
    const deep = p.node('Conv', [pooled, p.weight(8, 1, 3)], { group: 8, dilations: [2], pads: [2, 2] });
    return p.node('Flatten', [p.node('GlobalAveragePool', [p.node('Tanh', [deep])])]);
  },
  'convolutions over volumes': (p) => {
    const y = p.node('Conv', [p.input('N', 2, 4, 5, 6), p.weight(3, 2, 3, 3, 3), p.weight(3)], {
      pads: [1, 1, 1, 1, 1, 1],
    });
    return p.node('Flatten', [p.node('GlobalMaxPool', [p.node('Relu', [y])])]);
  },
};

async function check(graph: Graph, feeds: Record<string, HostTensor>): Promise<void> {
  const output = graph.outputs[0]?.name as string;
  const expected = (await runOnnxruntime(graph, feeds)).get(output) as HostTensor;
  const results = [runFloat(graph, feeds), runFloat(simplify(graph).graph, feeds)].map((all) => all.get(output));
  const program = compile(graph, integer());
  const value = program.run(feeds, {}).get(output);
  assert.ok(value);
  const rows = value.layout === 'rows' || value.dims[1] === 1;
  if (rows) results.push({ dtype: 'float32', dims: value.dims, data: value.data });
  for (const result of results) {
    assert.deepEqual(result?.dims, expected.dims);
    const difference = relativeDifference(result as HostTensor, expected);
    assert.ok(difference <= TOLERANCE, `${difference} apart`);
  }
  program.dispose();
}

describe('exported patterns beside onnxruntime', () => {
  for (const [name, make] of Object.entries(PATTERNS)) {
    it(name, async () => {
      const pattern = new Pattern();
      pattern.builder.output(make(pattern));
      const graph = pattern.builder.build();
      for (const batch of [1, 3]) {
        const dims = graph.inputs[0]?.dims?.map((dim) => (typeof dim === 'number' ? dim : batch)) as number[];
        await check(graph, { x: randomTensor(new Random(batch), dims) });
      }
    });
  }
});
