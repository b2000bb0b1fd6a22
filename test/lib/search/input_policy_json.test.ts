// Policies by input as JSON: the same choices when they come back, refusals where parts do not hold together.
import assert from 'node:assert/strict';
import { inputPolicyFromJson, inputPolicyToJson } from '../../../lib/search/input_policy_json.js';
import { InputPolicyRunner } from '../../../lib/search/runner.js';
import { blobs, graph } from '../../support/blobs.js';
import { policy } from '../../support/lively_policy.js';

const data = blobs(300, 1); // more than a batch

describe('input policies as JSON', () => {
  it('choose the same when they come back', async () => {
    const json = JSON.parse(JSON.stringify(inputPolicyToJson(policy)));
    const back = inputPolicyFromJson(graph, json);
    const runner = new InputPolicyRunner(graph);
    const [a, b] = [await runner.evaluate(policy, data), await runner.evaluate(back, data)];
    assert.deepEqual(b.options, a.options);
    assert.deepEqual(inputPolicyToJson(back), inputPolicyToJson(policy));
    runner.dispose();
  });

  it('are refused where they do not hold together', () => {
    const json = JSON.parse(JSON.stringify(inputPolicyToJson(policy)));
    const refuse = (more: object, pattern: RegExp) =>
      assert.throws(() => inputPolicyFromJson(graph, { ...json, ...more }), pattern);
    refuse({ schema: 'faultline.policy/1' }, /schema/);
    refuse({ nodes: json.nodes.slice(1) }, /order/);
    refuse({ candidates: [[8, 8, 3]] }, /candidates\[0\]/);
    refuse({ nodeScales: json.nodeScales.slice(1) }, /nodeScales/);
    refuse({ inputScale: { mean: 'AAAA', deviation: 'AAAA' } }, /inputScale/);
    refuse({ gate: json.actor }, /gate/);
    refuse({ gate: 'AAAA' }, /gate/);
    refuse({ budget: { ...json.budget, bits: 7.9 } }, /nearest/);
    refuse({ grid: 0 }, /grid/);
    assert.throws(() => inputPolicyFromJson(graph, []), /an object/);
  });
});
