// ONNX's suite on the reference forward: every node test and converted PyTorch test made of operators that we have.
import assert from 'node:assert/strict';
import { OPERATORS } from '../../lib/graph/check.js';
import { importModel } from '../../lib/graph/onnx/import.js';
import { runReference } from '../../lib/graph/reference.js';
import type { HostTensor } from '../../lib/tensor/host_tensor.js';
import { listTests, readDataSets, readModelBytes, readModelProto } from './onnx_data.js';

/** The tolerances of ONNX's test runner (onnx/backend/test): |actual − expected| ≤ atol + rtol · |expected|. */
const RTOL = 1e-3;
const ATOL = 1e-7;

const RANDOM = "training draws numpy's random numbers, which only numpy can give";
const OTHER_TYPE = 'its data are uint16 where the model says bfloat16';
const STRINGS = 'numbers are not read from strings, nor written to them';
/** onnxruntime leaves the same two out. */
const UNROUNDED = 'it aligns corners to an output size that is no whole number';
const TRAINING = 'nodes that compute as in training are refused';
const NO_TENSOR = 'its values are no tensors';
/** Tests of operators we have that are not run, and why. */
const LEFT_OUT: Readonly<Record<string, string>> = {
  test_cast_BFLOAT16_to_FLOAT: OTHER_TYPE,
  test_cast_FLOAT_to_BFLOAT16: OTHER_TYPE,
  test_castlike_BFLOAT16_to_FLOAT_expanded: OTHER_TYPE,
  test_castlike_FLOAT_to_BFLOAT16_expanded: OTHER_TYPE,
  test_cast_FLOAT_to_STRING: STRINGS,
  test_cast_STRING_to_FLOAT: STRINGS,
  test_castlike_FLOAT_to_STRING_expanded: STRINGS,
  test_castlike_STRING_to_FLOAT_expanded: STRINGS,
  test_resize_downsample_scales_cubic_align_corners: UNROUNDED,
  test_resize_downsample_scales_linear_align_corners: UNROUNDED,
  test_identity_opt: NO_TENSOR,
  test_identity_sequence: NO_TENSOR,
  test_batchnorm_epsilon_training_mode: TRAINING,
  test_batchnorm_example_training_mode: TRAINING,
  test_training_dropout: RANDOM,
  test_training_dropout_default: RANDOM,
  test_training_dropout_default_mask: RANDOM,
  test_training_dropout_mask: RANDOM,
};

/** Not in the suite that Debian has, which ends with opset 17. */
const YOUNGER = ['Gelu', 'Mish'];

const CATEGORIES = ['node', 'pytorch-converted', 'pytorch-operator', 'simple'];

function assertClose(actual: HostTensor | undefined, expected: HostTensor, what: string): void {
  assert.ok(actual, `${what}: missing`);
  assert.equal(actual.dtype, expected.dtype, `${what}: element type`);
  assert.deepEqual(actual.dims, expected.dims, `${what}: shape`);
  for (let i = 0; i < expected.data.length; i++) {
    const received: unknown = actual.data[i];
    const reference: unknown = expected.data[i];
    if (typeof received === 'number' && typeof reference === 'number') {
      const close =
        Object.is(received, reference) || Math.abs(received - reference) <= ATOL + RTOL * Math.abs(reference);
      assert.ok(close, `${what}[${i}]: expected ${reference}, received ${received}`);
    } else {
      assert.equal(received, reference, `${what}[${i}]`);
    }
  }
}

function runTest(category: string, test: string): void {
  const { graph } = importModel(readModelBytes(category, test), test);
  const sets = readDataSets(category, test);
  assert.ok(sets.length > 0, 'no data sets');
  for (const { inputs, outputs } of sets) {
    const feeds = Object.fromEntries(graph.inputs.map(({ name }, index) => [name, inputs[index] as HostTensor]));
    const values = runReference(graph, feeds);
    graph.outputs.forEach(({ name }, index) => {
      assertClose(values.get(name), outputs[index] as HostTensor, name);
    });
  }
}

for (const category of CATEGORIES) {
  describe(`ONNX's ${category} tests on the reference forward`, () => {
    const leftOut: string[] = [];
    const other = new Map<string, number>();
    let passed = 0;
    for (const test of listTests(category)) {
      const operators = (readModelProto(category, test).graph?.node ?? []).map(({ opType }) => opType ?? '');
      const unknown = operators.find((operator) => !OPERATORS.has(operator));
      if (unknown !== undefined) other.set(unknown, (other.get(unknown) ?? 0) + 1);
      else if (LEFT_OUT[test]) leftOut.push(`${test}: ${LEFT_OUT[test]}`);
      else {
        it(test, () => {
          runTest(category, test);
          passed++;
        });
      }
    }
    after(() => {
      console.log(`    ${category}: ${passed} passed, ${leftOut.length} left out`);
      for (const line of leftOut) console.log(`      left out: ${line}`);
      const others = [...other.values()].reduce((sum, count) => sum + count, 0);
      const operators = [...other].map(([operator, count]) => `${operator} ${count}`).sort();
      console.log(`      ${others} are of operators that we do not have: ${operators.join(', ')}`);
    });
  });
}

describe("ONNX's tests", () => {
  it('use every operator that we have', () => {
    const used = new Set(
      CATEGORIES.flatMap((category) =>
        listTests(category).flatMap((test) =>
          (readModelProto(category, test).graph?.node ?? []).map(({ opType }) => opType ?? ''),
        ),
      ),
    );
    assert.deepEqual(
      [...OPERATORS.keys()].filter((operator) => !used.has(operator)),
      YOUNGER,
    );
  });
});
