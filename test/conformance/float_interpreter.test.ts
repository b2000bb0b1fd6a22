// ONNX's suite on the float interpreter: every test made of operators that it computes on the tape.

import assert from 'node:assert/strict';
import { OPERATORS } from '../../lib/graph/check.js';
import { GraphError } from '../../lib/graph/errors.js';
import { importModel } from '../../lib/graph/onnx/import.js';
import { runFloat } from '../../lib/runtime/backends/float.js';
import type { HostTensor } from '../../lib/tensor/host_tensor.js';
import { listTests, readDataSets, readModelBytes, readModelProto } from './onnx_data.js';

/** The tolerances of ONNX's test runner (onnx/backend/test), its absolute one for sums of float32 near zero. */
const RTOL = 1e-3;
const ATOL = 1e-6;

/** What the float interpreter says of a use that it leaves to the reference interpreter. */
const REFUSAL = /the float interpreter|computed (at run time|on the tape)/;

const LEFT_OUT = [
  // nodes that compute as in training are refused
  'test_batchnorm_epsilon_training_mode',
  'test_batchnorm_example_training_mode',
  // their values are no tensors
  'test_identity_opt',
  'test_identity_sequence',
  // they align corners to an output size that is no whole number
  'test_resize_downsample_scales_cubic_align_corners',
  'test_resize_downsample_scales_linear_align_corners',
];

/** Tests whose nodes are all of operators that it computes. */
function testsOf(category: string): string[] {
  return listTests(category).filter((test) => {
    if (LEFT_OUT.includes(test)) return false;
    const nodes = readModelProto(category, test).graph?.node ?? [];
    return nodes.every(({ opType }) => (OPERATORS.get(opType ?? '')?.float ?? 'none') !== 'none');
  });
}

/** True when it was computed, false when the interpreter refused it. */
function run(category: string, test: string): boolean {
  const { graph } = importModel(readModelBytes(category, test), test);
  const floatOnly = [...graph.inputs, ...graph.outputs.slice(0, 1)].every(({ dtype }, i) => {
    return dtype === 'float32' || (dtype === 'int64' && i < graph.inputs.length);
  });
  if (!floatOnly) return false;
  for (const { inputs, outputs } of readDataSets(category, test)) {
    const feeds = Object.fromEntries(graph.inputs.map(({ name }, index) => [name, inputs[index] as HostTensor]));
    let actual: HostTensor | undefined;
    try {
      actual = runFloat(graph, feeds).get(graph.outputs[0]?.name as string);
    } catch (error) {
      if (error instanceof GraphError && REFUSAL.test(error.message)) return false;
      throw error;
    }
    const expected = outputs[0] as HostTensor;
    assert.deepEqual(actual?.dims, expected.dims);
    for (let i = 0; i < expected.data.length; i++) {
      const [received, reference] = [actual?.data[i] as number, expected.data[i] as number];
      const close =
        Object.is(received, reference) || Math.abs(received - reference) <= ATOL + RTOL * Math.abs(reference);
      assert.ok(close, `[${i}]: expected ${reference}, received ${received}`);
    }
  }
  return true;
}

for (const category of ['node', 'pytorch-converted', 'pytorch-operator']) {
  describe(`ONNX's ${category} tests on the float interpreter`, () => {
    const refused: string[] = [];
    let passed = 0;
    for (const test of testsOf(category)) {
      it(test, () => {
        if (run(category, test)) passed++;
        else refused.push(test);
      });
    }
    after(() => {
      console.log(`    ${category}: ${passed} computed, ${refused.length} left to the reference interpreter`);
      if (refused.length > 0) console.log(`      ${refused.join(', ')}`);
      assert.ok(passed > 0);
    });
  });
}
