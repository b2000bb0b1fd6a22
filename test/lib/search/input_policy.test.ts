// Choosing bits while the network runs: the budget of every sample, and policies as JSON.

import assert from 'node:assert/strict';
import { effectiveBits } from '../../../lib/policy/effective_bits.js';
import { integer } from '../../../lib/runtime/backends/integer.js';
import { compile } from '../../../lib/runtime/program.js';
import { InputPolicy } from '../../../lib/search/input_policy.js';
import { inputPolicyFromJson, inputPolicyToJson } from '../../../lib/search/input_policy_json.js';
import { Mlp } from '../../../lib/search/mlp.js';
import { Observer, STATISTICS, Standardizer } from '../../../lib/search/observation.js';
import { chosenBits, InputPolicyRunner, sliceSamples } from '../../../lib/search/runner.js';
import { ActivationSpace } from '../../../lib/search/space.js';
import { Random } from '../../../lib/tensor/random.js';
import { blobs, budget, graph } from '../../support/blobs.js';

const program = compile(graph, integer());
const space = new ActivationSpace(graph, program.products, budget);
const SAMPLES = 300; // more than a batch
const data = blobs(SAMPLES, 1);
const GRID = 4;
const INPUTS = GRID * GRID + STATISTICS;

const unit = (features: number) => new Standardizer(new Float32Array(features), new Float32Array(features).fill(1));

/** Weights large enough for choices to differ by sample. */
function lively(sizes: readonly number[], seed: number): Mlp {
  const mlp = Mlp.make('lively', sizes, new Random(seed));
  mlp.learn({ kind: 'sgd', rate: 1, momentum: 0 });
  const random = new Random(seed + 1);
  const x = Float32Array.from({ length: 64 * mlp.inputs }, () => random.normal());
  mlp.step(x, 64, 1, (_, dy) => {
    for (let i = 0; i < dy.length; i++) dy[i] = random.normal();
  });
  return mlp;
}

function makePolicy(): InputPolicy {
  const candidates = [...space.all()].slice(0, 3);
  const policy = new InputPolicy({
    space,
    observer: new Observer(GRID),
    inputScale: unit(INPUTS),
    nodeScales: space.names.map(() => unit(STATISTICS)),
    candidates,
    gate: lively([INPUTS, 8, candidates.length], 1),
    actor: undefined,
    pull: 0.5,
  });
  return policy.with({ actor: lively([policy.features, 8, space.width + 1], 2) });
}
const policy = makePolicy();

describe('ActivationSpace', () => {
  it('opens an option exactly where some policy of the budget goes on so', () => {
    const all = [...space.all()];
    assert.equal(BigInt(all.length), space.count);
    for (const own of all) {
      let spent = 0;
      own.forEach((_, node) => {
        const begun = all.filter((other) => own.subarray(0, node).every((option, i) => other[i] === option));
        const next = new Set(begun.map((other) => other[node] as number));
        const mask = [...next].reduce((bits, option) => bits | (1 << option), 0);
        assert.equal(space.open(node, spent), mask);
        spent += space.cost(node, own[node] as number);
      });
    }
  });

  it('gives static policies back as they were', () => {
    for (const own of space.all()) {
      const decoded = space.decode(own);
      assert.equal(effectiveBits(graph, decoded, { counted: 'activations' }), budget.bits);
      assert.deepEqual(space.encode(decoded), own);
    }
  });

  it('refuses weights that differ, and budgets that no policy has', () => {
    const make = (more: object) => new ActivationSpace(graph, program.products, { ...budget, ...more });
    assert.throws(() => make({ choices: ['W8A4', 'W4A8'], bits: 16 / 3 }), /the same weight bits/);
    assert.throws(() => make({ bits: 7.9 }), /nearest/);
  });
});

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

  it('tells what it will choose, with an actor or without', async () => {
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
