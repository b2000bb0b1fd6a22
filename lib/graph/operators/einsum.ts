// Einsum: sums of products over the labels of an equation, "bij,bjk->bik". Two operands multiply as matrices; what else
// an equation says (one operand, three, a diagonal) the reference computes.
import { toRows } from '../../autograd/ops/layout.js';
import { matmul } from '../../autograd/ops/matmul.js';
import { reshape, transpose } from '../../autograd/ops/movement.js';
import { sizeOf, stridesOf } from '../../core/shape.js';
import { compatible, type Dim, formatShape, merge, sizePerSample } from '../dims.js';
import { defineOperator, floatData, floatOutput, none, required, string, unknown, VARIADIC } from '../operator.js';
import { offsetsOf } from './movement.js';

type Fail = (what: string) => never;

/** An equation: the labels of each operand's axes and of the output's. Those of an ellipsis are digits. */
export interface Equation {
  readonly operands: readonly (readonly string[])[];
  readonly output: readonly string[];
}

const TERM = /^[A-Za-z]*(\.\.\.)?[A-Za-z]*$/;
/** Digits stand for the axes of an ellipsis, counted from the last. */
const MOST_BROADCAST = 10;

/** Reads an equation for operands of these ranks. */
export function parseEquation(text: string, ranks: readonly number[], fail: Fail): Equation {
  const [left = '', right, ...more] = text.replaceAll(' ', '').split('->');
  const terms = left.split(',');
  if (more.length > 0 || ![...terms, right ?? ''].every((term) => TERM.test(term))) fail(`equation "${text}"`);
  if (terms.length !== ranks.length)
    fail(`equation "${text}": expected ${terms.length} inputs, received ${ranks.length}`);
  let broadcast = 0;
  const operands = terms.map((term, index) => {
    const letters = term.replace('...', '');
    const extra = (ranks[index] as number) - letters.length;
    if (extra < 0 || extra > MOST_BROADCAST || (extra > 0 && letters === term)) {
      fail(`equation "${text}": term "${term}" does not fit an input of rank ${ranks[index]}`);
    }
    broadcast = Math.max(broadcast, extra);
    return labelsOf(term, extra);
  });
  const all = operands.flat();
  const once = [...new Set(all)].filter(
    (label) => /[A-Za-z]/.test(label) && all.indexOf(label) === all.lastIndexOf(label),
  );
  const output = right === undefined ? [...labelsOf('...', broadcast), ...once.sort()] : labelsOf(right, broadcast);
  if (new Set(output).size < output.length || output.some((label) => !all.includes(label))) {
    fail(`equation "${text}": expected labels of the inputs, each once, in the output`);
  }
  return { operands, output };
}

function labelsOf(term: string, extra: number): string[] {
  const digits = Array.from({ length: extra }, (_, index) => String(extra - 1 - index)).join('');
  return [...term.replace('...', digits)];
}

/** The labels of a product of two matrices. */
interface MatrixLabels {
  /** In both and in the output: a matrix for each. */
  readonly batch: readonly string[];
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  /** In both, not in the output. */
  readonly summed: readonly string[];
}

/** Undefined where an operand has a label twice, or one that only it has is summed. */
export function matrixLabels({ operands, output }: Equation): MatrixLabels | undefined {
  const [x, y] = operands;
  if (!x || !y || operands.length !== 2 || [x, y].some((labels) => new Set(labels).size < labels.length))
    return undefined;
  const both = x.filter((label) => y.includes(label));
  const alone = (labels: readonly string[]) => labels.filter((label) => !both.includes(label));
  if (![...alone(x), ...alone(y)].every((label) => output.includes(label))) return undefined;
  return {
    batch: both.filter((label) => output.includes(label)),
    rows: output.filter((label) => !both.includes(label) && x.includes(label)),
    columns: output.filter((label) => !both.includes(label) && y.includes(label)),
    summed: both.filter((label) => !output.includes(label)),
  };
}

/** The size of each label. One broadcasts. */
function sizesOf({ operands }: Equation, shapes: readonly (readonly Dim[])[], fail: Fail): Map<string, Dim> {
  const sizes = new Map<string, Dim>();
  operands.forEach((labels, index) => {
    labels.forEach((label, axis) => {
      const dim = shapes[index]?.[axis] as Dim;
      const before = sizes.get(label);
      if (before === undefined || before === 1) sizes.set(label, dim);
      else if (dim !== 1) {
        if (!compatible(before, dim))
          fail(`label ${label} is ${before} and ${dim} (${shapes.map(formatShape).join(', ')})`);
        sizes.set(label, merge(before, dim));
      }
    });
  });
  return sizes;
}

const equationOf = (
  attributes: { equation: string | undefined },
  inputs: readonly ({ dims: readonly Dim[] } | undefined)[],
  fail: Fail,
) =>
  parseEquation(
    attributes.equation ?? '',
    inputs.map((input) => input?.dims.length ?? 0),
    fail,
  );

export const Einsum = defineOperator({
  name: 'Einsum',
  attributes: { equation: string() },
  inputs: VARIADIC,
  outputs: [1, 1],
  ...none('product', 'fuses', 'fusion', 'device'),
  ...none('settings', 'statistics', 'fromTypes', 'openShape', 'unfoldable', 'upgrades', 'detail'),
  ...unknown('channels', 'samples'),
  shape: (call) => {
    const equation = equationOf(call.attributes, call.inputs, call.fail);
    const { dtype } = required(call.inputs, 0);
    const sizes = sizesOf(
      equation,
      call.inputs.map((_, index) => required(call.inputs, index).dims),
      call.fail,
    );
    for (const input of call.inputs) if (input?.dtype !== dtype) call.fail('expected inputs of one type');
    return [{ dtype, dims: equation.output.map((label) => sizes.get(label) as Dim) }];
  },
  macs: (attributes, inputs, output) => {
    const equation = equationOf(attributes, inputs, () => undefined as never);
    if (inputs.length < 2) return 0;
    const sizes = sizesOf(
      equation,
      inputs.map((_, index) => required(inputs, index).dims),
      () => undefined as never,
    );
    const summed = [...sizes].filter(([label]) => !equation.output.includes(label)).map(([, dim]) => dim);
    return sizePerSample(output.dims) * sizePerSample(summed);
  },
  float: ({ tape, attributes, inputs, dims, fail }) => {
    const equation = equationOf(attributes, inputs, fail);
    const labels = matrixLabels(equation);
    const [x, y] = inputs;
    if (!labels || !x || !y || x.size === 0 || y.size === 0) return undefined;
    const [ofX, ofY] = equation.operands as [readonly string[], readonly string[]];
    const sizeIn = (value: typeof x, names: readonly string[], label: string) =>
      value.dims[names.indexOf(label)] as number;
    const both = [...labels.batch, ...labels.summed];
    if (both.some((label) => sizeIn(x, ofX, label) !== sizeIn(y, ofY, label))) return undefined; // one broadcasts
    const size = (names: readonly string[]) =>
      sizeOf(names.map((label) => (ofX.includes(label) ? sizeIn(x, ofX, label) : sizeIn(y, ofY, label))));
    const [batch, m, n, k] = [labels.batch, labels.rows, labels.columns, labels.summed].map(size) as [
      number,
      number,
      number,
      number,
    ];
    const arranged = (
      value: typeof x,
      names: readonly string[],
      order: readonly string[],
      shape: readonly number[],
    ) => {
      const perm = order.map((label) => names.indexOf(label));
      const turned = perm.every((axis, index) => axis === index) ? value : transpose(tape, toRows(tape, value), perm);
      return reshape(tape, toRows(tape, turned), shape);
    };
    const a = arranged(x, ofX, [...labels.batch, ...labels.rows, ...labels.summed], [batch, m, k]);
    const b = arranged(y, ofY, [...labels.batch, ...labels.summed, ...labels.columns], [batch, k, n]);
    const made = [...labels.batch, ...labels.rows, ...labels.columns];
    const product = reshape(
      tape,
      matmul(tape, a, b),
      made.map((label) => dims[equation.output.indexOf(label)] as number),
    );
    const perm = equation.output.map((label) => made.indexOf(label));
    return perm.every((axis, index) => axis === index) ? product : transpose(tape, product, perm);
  },
  forward: (call) => {
    const values = call.inputs.map((_, index) => required(call.inputs, index));
    const equation = equationOf(call.attributes, values, call.fail);
    const sizes = sizesOf(
      equation,
      values.map(({ dims }) => dims),
      call.fail,
    ) as Map<string, number>;
    const summed = [...sizes.keys()].filter((label) => !equation.output.includes(label));
    const y = floatOutput(required(call.outputs, 0));
    const data = values.map((value) => floatData(value, call.fail));
    const offsets = (labels: readonly string[]) =>
      values.map(({ dims }, index) => {
        const strides = stridesOf(dims);
        const operandLabels = equation.operands[index] as readonly string[];
        const step = (label: string) =>
          operandLabels.reduce(
            (sum, each, axis) => sum + (each === label && dims[axis] !== 1 ? (strides[axis] as number) : 0),
            0,
          );
        return offsetsOf(
          labels.map((label) => sizes.get(label) as number),
          labels.map(step),
        );
      });
    const [outer, inner] = [offsets(equation.output), offsets(summed)];
    const terms = sizeOf(summed.map((label) => sizes.get(label) as number));
    for (let i = 0; i < y.data.length; i++) {
      let sum = 0;
      for (let j = 0; j < terms; j++) {
        let product = 1;
        for (let t = 0; t < data.length; t++) {
          product *= data[t]?.[(outer[t]?.[i] as number) + (inner[t]?.[j] as number)] as number;
        }
        sum += product;
      }
      y.data[i] = sum;
    }
    return [y];
  },
});
