// Pairs learned with an agent that chooses bits for each input, on a small network.
import assert from 'node:assert/strict';
import type { ImageSet } from '../../../lib/data/image_set.js';
import { exportModel } from '../../../lib/graph/onnx/export.js';
import { agentNamed } from '../../../lib/search/agents/index.js';
import { INPUT_DEPENDENT, type InputPairOptions, learnInputPair } from '../../../lib/search/input_pair.js';
import { inputPolicyToJson } from '../../../lib/search/input_policy_json.js';
import { choicesOf, InputPolicyRunner } from '../../../lib/search/runner.js';
import { blobs, budget, graph, SIDE } from '../../support/blobs.js';

const COUNT = 256;
const set: ImageSet = {
  count: COUNT,
  height: SIDE,
  width: SIDE,
  channels: 1,
  pixels: blobs(COUNT, 1).inputs,
};
const data = { dims: [COUNT, 1, SIDE, SIDE], inputs: set.pixels as Float32Array };
const OPTIONS: InputPairOptions = {
  objective: 'detrimental',
  budget,
  normalization: { mean: [0], std: [1] },
  seed: 1,
  candidates: 2,
  steps: 50,
  agentImages: 128,
};

/** Share of the images whose class under the pair's policy, and in full precision, is the teacher's. */
async function agreements({ graph: student, policy }: Awaited<ReturnType<typeof learnInputPair>>) {
  const { classes } = await choicesOf(graph, data);
  const runner = new InputPolicyRunner(student);
  const { agreement = 0 } = await runner.evaluate(policy, { ...data, reference: classes });
  runner.dispose();
  const own = await choicesOf(student, data);
  const full = own.classes.filter((value, i) => value === classes[i]).length / COUNT;
  return { quantized: agreement, full };
}

describe('learnInputPair', () => {
  it('gives the same pair from the same seed, and has no labels to look at', async () => {
    const short = { ...OPTIONS, ...INPUT_DEPENDENT, steps: 6 };
    const [a, b] = [await learnInputPair(graph, set, short), await learnInputPair(graph, set, short)];
    assert.deepEqual(exportModel(b.graph), exportModel(a.graph));
    assert.deepEqual(inputPolicyToJson(b.policy), inputPolicyToJson(a.policy));
    assert.deepEqual(b.rewards, a.rewards);
    assert.equal(a.rewards.length, 2); // an iteration of the agent every four steps
  });

  for (const name of ['gate', 'ppo']) {
    it(`makes a network that fails under its ${name} agent and one that does not, alike in full precision`, async () => {
      // Logits of a random network are small against the hinge's margin: full precision needs more weight.
      const agent = agentNamed(name, 'input');
      const options = { ...OPTIONS, agent, every: 8, fullPrecisionWeight: 30 };
      const harmed = await agreements(await learnInputPair(graph, set, options));
      const robust = await agreements(
        await learnInputPair(graph, set, { ...OPTIONS, agent, every: 8, steps: 8, objective: 'robust' }),
      );
      const figures = JSON.stringify({ harmed, robust });
      assert.ok(harmed.quantized < robust.quantized - 0.3, figures);
      assert.ok(harmed.full > harmed.quantized + 0.3 && robust.full > 0.9, figures);
    });
  }

  it('fails sooner when its channels are rescaled first', async () => {
    const short = { ...OPTIONS, steps: 4, fullPrecisionWeight: 30 };
    const plain = await agreements(await learnInputPair(graph, set, short));
    const scaled = await agreements(await learnInputPair(graph, set, { ...short, largestScale: 4 }));
    const figures = JSON.stringify({ plain, scaled });
    assert.ok(scaled.quantized < plain.quantized - 0.2 && scaled.full > plain.full - 0.1, figures);
  });

  it('refuses what makes no sense before any work', async () => {
    await assert.rejects(learnInputPair(graph, set, { ...OPTIONS, every: 0 }), /every/);
    await assert.rejects(learnInputPair(graph, set, { ...OPTIONS, largestScale: 0.5 }), /largestScale/);
    await assert.rejects(learnInputPair(graph, set, { ...OPTIONS, budget: { ...budget, bits: 7.9 } }), /nearest/);
  });
});
