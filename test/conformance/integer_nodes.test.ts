// ONNX's node tests of the integer operators, on faultline's operations: every element equal, no tolerance.
import assert from 'node:assert/strict';
import { attributeFromProto } from '../../lib/graph/onnx/attributes.js';
import type { HostTensor } from '../../lib/tensor/host_tensor.js';
import { INTEGER_OPERATORS } from './integer_operators.js';
import { listTests, readDataSets, readModelProto } from './onnx_data.js';

/** Operators that DynamicQuantizeLinear is written out in, in tests that do not name it as a node. */
const EXPANDED = /^test_dynamicquantizelinear.*_expanded$/;

describe("ONNX's node tests of the integer operators", () => {
  const leftOut: string[] = [];
  const passed = new Map<string, number>();
  for (const test of listTests('node')) {
    const nodes = readModelProto('node', test).graph?.node ?? [];
    if (EXPANDED.test(test)) {
      leftOut.push(`${test}: the operator written out in float operators (${nodes.map((n) => n.opType).join(', ')})`);
    }
    const [node] = nodes;
    const operator = node?.opType ?? '';
    const run = INTEGER_OPERATORS[operator];
    if (!node || nodes.length !== 1 || !run) continue;
    it(test, () => {
      const names = readModelProto('node', test).graph?.input?.map(({ name }) => name) ?? [];
      const attributes = (node.attribute ?? []).map((proto) => attributeFromProto(proto, test));
      const sets = readDataSets('node', test);
      assert.ok(sets.length > 0, 'no data sets');
      for (const { inputs, outputs } of sets) {
        const operands = (node.input ?? []).map((name) => inputs[names.indexOf(name)]);
        const results: readonly HostTensor[] = run(operands, Object.fromEntries(attributes));
        assert.equal(results.length, outputs.length);
        results.forEach((result, i) => {
          assert.equal(result.dtype, outputs[i]?.dtype);
          assert.deepEqual([...result.dims], outputs[i]?.dims);
          assert.deepEqual(result.data, outputs[i]?.data);
        });
      }
      passed.set(operator, (passed.get(operator) ?? 0) + 1);
    });
  }

  it('cover every integer operator', () => {
    assert.deepEqual([...passed.keys()].sort(), Object.keys(INTEGER_OPERATORS).sort());
  });

  after(() => {
    const total = [...passed.values()].reduce((sum, count) => sum + count, 0);
    const each = [...passed].map(([operator, count]) => `${operator} ${count}`).join(', ');
    console.log(`    integer operators: ${total} passed (${each}), ${leftOut.length} left out`);
    for (const line of leftOut) console.log(`      left out: ${line}`);
  });
});
