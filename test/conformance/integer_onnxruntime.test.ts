// faultline's ONNX integer operators against ONNX Runtime on random shapes and parameters: every element equal.
import assert from 'node:assert/strict';
import type { HostTensor } from '../../lib/tensor/host_tensor.js';
import { CASES, type Case } from './integer_cases.js';
import { INTEGER_OPERATORS } from './integer_operators.js';
import { OrtNode } from './ort_node.js';

/** Sessions by everything but the values that are fed. */
class Sessions {
  private readonly cached = new Map<string, Promise<OrtNode>>();

  async run(c: Case): Promise<HostTensor[]> {
    const fed = c.inputs.map((input, i) => (c.constants?.includes(i) ? input : input?.dtype));
    if (c.constants?.length) {
      const node = await OrtNode.create({ ...c, inputs: fed });
      const results = await node.run(c.inputs);
      await node.release();
      return results;
    }
    const key = JSON.stringify([c.operator, c.opset, c.attributes, fed]);
    const node = this.cached.get(key) ?? OrtNode.create({ ...c, inputs: fed });
    this.cached.set(key, node);
    return (await node).run(c.inputs);
  }

  async release(): Promise<void> {
    for (const node of this.cached.values()) await (await node).release();
    this.cached.clear();
  }
}

function describeCase(c: Case): string {
  const inputs = c.inputs.map((input) => (input ? `${input.dtype}[${input.dims}]` : '–')).join(' ');
  return `${c.operator} (opset ${c.opset}) ${inputs} ${JSON.stringify(c.attributes ?? {})}`;
}

async function check(sessions: Sessions, c: Case): Promise<void> {
  const expected = await sessions.run(c);
  const received = INTEGER_OPERATORS[c.operator]?.(c.inputs, c.attributes ?? {}) ?? [];
  expected.forEach((reference, i) => {
    const result = received[i] as HostTensor;
    assert.equal(result.dtype, reference.dtype, describeCase(c));
    assert.deepEqual([...result.dims], [...reference.dims], describeCase(c));
    assert.deepEqual(result.data, reference.data, describeCase(c));
  });
}

describe('the integer operators and ONNX Runtime', () => {
  for (const { operator, count, make } of CASES) {
    it(`agree on ${count} random cases of ${operator}`, async () => {
      const sessions = new Sessions();
      for (let seed = 0; seed < count; seed++) await check(sessions, make(seed));
      await sessions.release();
    });
  }
});
