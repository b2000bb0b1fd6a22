// Policies as JSON: the round trip, files of schema 1, refusals by name.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { parseScheme } from '../../../lib/format/scheme.js';
import { simplify } from '../../../lib/graph/passes/index.js';
import { buildModel } from '../../../lib/models/index.js';
import { policyFromJson, policyToJson } from '../../../lib/policy/json.js';
import { formatPolicy, uniformPolicy } from '../../../lib/policy/policy.js';

const graph = buildModel('resnet8');
const NODES = 10;
const FIXTURE = '../../../../test/data/policy-1.json';
const W8A8 = parseScheme('W8A8');

describe('policies as JSON', () => {
  it('JSON gives a policy back, for the folded network too', () => {
    const policy = uniformPolicy(graph, 'W4A8', { excluded: ['logits'], pinned: new Map([['stem.conv', W8A8]]) });
    const json = JSON.parse(JSON.stringify(policyToJson(policy))) as unknown;
    assert.deepEqual(policyFromJson(graph, json), policy);
    assert.deepEqual(policyFromJson(simplify(graph).graph, json), policy);
  });

  it('unknown, missing and unquantizable nodes and impossible bits are refused by name', () => {
    const json = policyToJson(uniformPolicy(graph, 'W8A8'));
    const nodes = { ...json.nodes };
    const { logits, ...others } = nodes;
    const refuse = (changed: unknown, message: RegExp) => assert.throws(() => policyFromJson(graph, changed), message);
    refuse({ ...json, nodes: others }, /no scheme for node "logits"/);
    refuse({ ...json, nodes: { ...nodes, head: 'W8A8' } }, /has no node "head"/);
    refuse({ ...json, nodes: { ...nodes, 'stem.relu': 'W8A8' } }, /"stem\.relu" \(Relu\) cannot be quantized/);
    refuse({ ...json, excluded: ['nobody'] }, /has no node "nobody"/);
    refuse({ ...json, nodes: { ...nodes, logits: 'W9A8' } }, /"logits": expected W2A2 … /);
    refuse({ ...json, nodes: { ...nodes, logits: null } }, /"logits": expected the name of a scheme, received null/);
    refuse({ ...json, excluded: ['logits'] }, /not excluded, received logits/);
    refuse({ ...json, schema: 'other' }, /schema/);
    refuse([], /an object/);
  });

  it('files of schema 1, which have bit widths, still load', () => {
    const json = JSON.parse(readFileSync(new URL(FIXTURE, import.meta.url), 'utf8')) as { nodes: object };
    const policy = policyFromJson(graph, json);
    assert.equal(policy.schemes.size, NODES - 1);
    assert.equal(policy.schemes.get('stem.conv'), W8A8);
    assert.deepEqual([...policy.excluded], ['logits']);
    assert.equal(formatPolicy(policy), 'W8A8 W4A4 W2A8 W8A2 W3A5 W5A3 W4A4 W4A4 W6A7');
    const impossible = { ...json, nodes: { ...json.nodes, 'stem.conv': { weightBits: 9, activationBits: 8 } } };
    assert.throws(
      () => policyFromJson(graph, impossible),
      /weightBits of "stem\.conv": expected an integer from 2 to 8/,
    );
  });
});
