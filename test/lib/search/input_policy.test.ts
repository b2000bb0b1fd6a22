// Choosing bits while the network runs: the budget of every sample.
import assert from 'node:assert/strict';
import { effectiveBits } from '../../../lib/policy/effective_bits.js';
import { STATISTICS } from '../../../lib/search/observation.js';
import { chosenBits, InputPolicyRunner, sliceSamples } from '../../../lib/search/runner.js';
import { ActivationSpace } from '../../../lib/search/space.js';
import { blobs, budget, graph } from '../../support/blobs.js';
import { policy, program, space, unit } from '../../support/lively_policy.js';

const SAMPLES = 300; // more than a batch
const data = blobs(SAMPLES, 1);

describe('InputPolicy', () => {
  it('meets the budget exactly for every sample, with bits that differ by sample', async () => {
    const runner = new InputPolicyRunner(graph);
    const { options } = await runner.evaluate(policy, data);
    const nodes = space.names.length;
    const seen = new Set<string>();
    for (let i = 0; i < SAMPLES; i++) {
      const own = options.subarray(i * nodes, (i + 1) * nodes);
      assert.equal(effectiveBits(graph, space.decode(own), { counted: 'activations' }), budget.bits);
      seen.add(own.join());
    }
    assert.ok(seen.size > 2, `${seen.size} policies`);
    runner.dispose();
  });

  it('chooses for a sample the same whatever shares its batch, and what it chose gives the same logits again', async () => {
    const runner = new InputPolicyRunner(graph);
    const whole = await runner.evaluate(policy, data);
    const part = await runner.evaluate(policy, sliceSamples(data, 240, 300));
    const [nodes, classes] = [space.names.length, whole.logits.length / SAMPLES];
    assert.deepEqual(part.options, whole.options.slice(240 * nodes));
    assert.deepEqual(part.logits, whole.logits.slice(240 * classes));
    const replayed = await runner.replay(space, whole.options, data);
    assert.deepEqual(replayed.logits, whole.logits);
    runner.dispose();
  });

  it('does not look at labels', async () => {
    const runner = new InputPolicyRunner(graph);
    const { labels: _, ...unlabelled } = data;
    const [a, b] = [await runner.evaluate(policy, data), await runner.evaluate(policy, unlabelled)];
    assert.deepEqual(b.options, a.options);
    assert.equal(b.accuracy, undefined);
    runner.dispose();
  });

  it('follows the gate alone without an actor, and one policy without a gate', async () => {
    const runner = new InputPolicyRunner(graph);
    const nodes = space.names.length;
    const rows = (options: Uint8Array) =>
      Array.from({ length: SAMPLES }, (_, i) => options.subarray(i * nodes, (i + 1) * nodes).join());
    const names = policy.candidates.map((own) => own.join());
    const gated = rows((await runner.evaluate(policy.with({ actor: undefined }), data)).options);
    assert.ok(gated.every((row) => names.includes(row)));
    assert.ok(new Set(gated).size > 1);
    const fixed = rows((await runner.evaluate(policy.with({ actor: undefined, gate: undefined }), data)).options);
    assert.deepEqual(new Set(fixed), new Set([names[0]]));
    runner.dispose();
  });

  it('predicts what it will choose, with an actor or without', async () => {
    const runner = new InputPolicyRunner(graph);
    const some = sliceSamples(data, 0, 20);
    for (const own of [policy, policy.with({ actor: undefined }), policy.with({ candidates: [], gate: undefined })]) {
      assert.deepEqual(await chosenBits(runner, own, some), (await runner.evaluate(own, some)).options);
    }
    runner.dispose();
  });

  it('leaves excluded nodes in float32', async () => {
    const excluded = [space.names[0] as string];
    const given = { ...budget, excluded, bits: 6 };
    const own = new ActivationSpace(graph, program.products, given);
    const candidate = [...own.all()][0] as Uint8Array;
    const runner = new InputPolicyRunner(graph);
    const parts = { space: own, nodeScales: own.names.map(() => unit(STATISTICS)), candidates: [candidate] };
    const some = sliceSamples(data, 0, 5);
    const { logits } = await runner.evaluate(policy.with({ ...parts, gate: undefined, actor: undefined }), some);
    const input = { dtype: 'float32', dims: some.dims, data: some.inputs } as const;
    const wanted = program.run({ input }, { bits: own.decode(candidate) }).get('logits')?.data;
    assert.deepEqual(logits, wanted?.slice());
    runner.dispose();
  });
});
