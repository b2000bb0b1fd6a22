// Remedies: what each does to the bits of a policy, and that its figures are those of the policy it names.
import assert from 'node:assert/strict';
import { DEFAULT_THRESHOLDS, float32Policy } from '../../../../lib/assess/measure/figures.js';
import { Measurer, type PolicyAnswers } from '../../../../lib/assess/measure/measurer.js';
import { sensitivityOf } from '../../../../lib/assess/measure/sensitivity.js';
import { remediesFor } from '../../../../lib/assess/verdict/remedies.js';
import { formatScheme } from '../../../../lib/format/scheme.js';
import { policyFromJson } from '../../../../lib/policy/json.js';
import { type Policy, uniformPolicy } from '../../../../lib/policy/policy.js';
import { twoProducts, vectors } from '../../../support/product_network.js';

const graph = twoProducts();
const bitsOf = ({ schemes }: Policy) => [...schemes].map(([name, own]) => `${name} ${formatScheme(own)}`);

describe('remedies', () => {
  it('have one more and one fewer bit and the fewest nodes, measured on samples of their own', async () => {
    const measurer = new Measurer(graph);
    try {
      const policy = uniformPolicy(graph, 'W3A3');
      const partOf = async (seed: number) => {
        const samples = vectors(graph, 50, seed);
        const [fp] = await measurer.run(samples, [float32Policy(graph)]);
        return {
          samples: { ...samples, labels: undefined },
          fp: fp as PolicyAnswers,
          expected: (fp as PolicyAnswers).answers,
        };
      };
      const [choose, judge] = [await partOf(5), await partOf(6)];
      const sensitivity = await sensitivityOf(measurer, choose.samples, choose.expected, policy);
      const remedies = await remediesFor(measurer, choose, judge, policy, sensitivity, DEFAULT_THRESHOLDS);
      const kinds = remedies.map(({ kind }) => kind);
      for (const kind of ['oneMoreBit', 'oneFewerBit', 'keepNodes']) assert.ok(kinds.includes(kind as never), kind);
      for (const remedy of remedies.filter(({ kind }) => kind !== 'equalize')) {
        const own = policyFromJson(graph, remedy.policy);
        const bits = { oneMoreBit: 'W4A4', oneFewerBit: 'W2A2' }[remedy.kind as 'oneMoreBit'];
        if (bits) assert.deepEqual(bitsOf(own), [`first ${bits}`, `logits ${bits}`]);
        const [outcome] = await measurer.run(judge.samples, [own]);
        const [said, fp] = [outcome?.answers, judge.fp.answers] as [Int32Array, Int32Array];
        const flips = said.filter((one, i) => one !== fp[i]).length;
        assert.equal(remedy.flips, flips, remedy.what);
      }
      const kept = remedies.find(({ kind }) => kind === 'keepNodes');
      assert.match(kept?.what ?? '', /^keep at 8 bits: /);
      for (const [name, own] of policyFromJson(graph, kept?.policy).schemes) {
        assert.equal(formatScheme(own), kept?.nodes.includes(name) ? 'W8A8' : 'W3A3');
      }
    } finally {
      measurer.dispose();
    }
  });
});
