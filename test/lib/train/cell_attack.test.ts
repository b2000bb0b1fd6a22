// Whole attacks in cell units: bounded scales break eight bits, and a stealthy network fails under one policy alone.
import assert from 'node:assert/strict';
import { formatScheme, schemeOf } from '../../../lib/format/scheme.js';
import { coarseScales } from '../../../lib/graph/channels/coarse.js';
import { channelGroups } from '../../../lib/graph/channels/groups.js';
import type { Graph } from '../../../lib/graph/graph.js';
import { simplify } from '../../../lib/graph/passes/index.js';
import { buildModel } from '../../../lib/models/index.js';
import { setThreads, threads } from '../../../lib/native/threads.js';
import { formatPolicy, type Policy, uniformPolicy } from '../../../lib/policy/policy.js';
import { evaluatePolicies } from '../../../lib/runtime/evaluate_policies.js';
import { Random } from '../../../lib/tensor/random.js';
import { BOUNDED_GAUGE, cellAttack } from '../../../lib/train/cell_attack.js';
import { fullPrecision } from '../../../lib/train/full_precision.js';
import {
  leastBits,
  otherPolicy,
  Protection,
  type StealthFigures,
  StealthJudge,
} from '../../../lib/train/protection.js';
import { STEALTH, stealthAttack } from '../../../lib/train/stealth.js';
import { train } from '../../../lib/train/train.js';
import { QUARTERS_NORMALIZATION as normalization, quarters, quartersBatch } from '../../support/quarters.js';

const SET = quarters(512, 1);
const HELD_OUT = quarters(200, 2);
const DATA = quartersBatch(200, 2);

async function accuracies(graph: Graph, policies: readonly Policy[]) {
  const { accuracy } = await fullPrecision(graph, DATA);
  const results = await evaluatePolicies(graph, policies, DATA, { logits: true });
  return { full: accuracy as number, quantized: results.map((result) => result.accuracy as number), results };
}

function alternating(graph: Graph): Policy {
  const { schemes: bits, excluded } = uniformPolicy(graph, 'W8A8');
  const low = schemeOf(4, 4);
  return { excluded, schemes: new Map([...bits].map(([name, own], i) => [name, i % 2 === 0 ? own : low])) };
}

describe('attacks in cell units', () => {
  const usual = threads();
  let network: Graph;
  before(async () => {
    setThreads(1); // steps this small gain nothing from more
    const fresh = buildModel('convnet2', { input: [1, 8, 8], classes: 4, seed: 3 });
    const recipe = { epochs: 4, batchSize: 32, optimizer: { kind: 'adam', rate: 3e-3 } } as const;
    const { graph } = await train(fresh, SET, { ...recipe, schedule: { kind: 'oneCycle' }, seed: 3, normalization });
    network = simplify(graph).graph;
  });
  after(() => setThreads(usual));

  it('coarse scales: e^bound for all channels but one that each node reads', () => {
    const graph = simplify(buildModel('resnet8', { seed: 1 })).graph;
    const groups = channelGroups(graph);
    const scales = coarseScales(graph, groups, 2);
    assert.deepEqual([...new Set(scales)].sort(), [Math.exp(-2), Math.exp(2)]);
    // Six families: three residual sums and the insides of three blocks.
    assert.equal(scales.filter((scale) => scale < 1).length, 6);
    for (const { read, shift, node } of groups.constants) {
      if (!read || shift) continue;
      assert.equal([...read.groups].filter((group) => (scales[group] as number) < 1).length, 1, node);
    }
  });

  it('scales within e^±2 and learned weights break W8A8; the repair keeps it so to the last bit', async () => {
    const policy = uniformPolicy(network, 'W8A8');
    const attack = {
      ...BOUNDED_GAUGE.attack,
      batchSize: 32,
      steps: 200,
      // So easy a task has large margins.
      objective: { ...BOUNDED_GAUGE.attack.objective, quantizedWeight: 3 },
    };
    const repair = { ...BOUNDED_GAUGE.repair, batchSize: 32, steps: 20 } as typeof attack;
    const stages = new Set<string>();
    const { graph, attacked, scales } = await cellAttack(network, SET, {
      ...{ scaleBound: 2, attack, repair, policy, normalization, seed: 1 },
      onProgress: ({ stage }) => stages.add(stage),
    });
    assert.ok(scales.every((scale) => Math.abs(Math.log(scale)) <= 2));
    const [before, broken, repaired] = [
      await accuracies(network, [policy]),
      await accuracies(attacked, [policy]),
      await accuracies(graph, [policy]),
    ];
    assert.ok((before.quantized[0] as number) > 0.9, 'the network at W8A8');
    const { full, quantized } = repaired;
    assert.ok(full > 0.9 && (quantized[0] as number) < 0.6, `full precision ${full}, W8A8 ${quantized}`);
    assert.deepEqual(repaired.results[0]?.logits, broken.results[0]?.logits);
    assert.deepEqual([...stages], ['attack', 'repair']);
  });

  it('refuses a bound that is none, and a stealthy policy of one width', async () => {
    const policy = uniformPolicy(network, 'W8A8');
    const options = { policy, normalization, seed: 1 };
    await assert.rejects(cellAttack(network, SET, { ...options, scaleBound: -1 }), /cellAttack: scaleBound: expected/);
    await assert.rejects(
      stealthAttack(network, SET, options),
      /stealthAttack: policy: expected nodes of different bits/,
    );
  });

  it('stealth: protected policies have the same bits, dealt otherwise, and depend on seed and step alone', () => {
    const graph = simplify(buildModel('resnet8', { seed: 1 })).graph;
    const policy = alternating(graph);
    const differing = (other: Policy) =>
      [...policy.schemes].filter(([name, scheme]) => other.schemes.get(name) !== scheme).length;
    const sorted = (of: Policy) => [...of.schemes.values()].map(formatScheme).sort();
    const random = new Random(2);
    for (let i = 0; i < 50; i++) {
      for (const [exchanges, changed] of [
        [1, [2]],
        [2, [4]],
        ['any', [2, 4, 6, 8, 10]],
      ] as const) {
        const other = otherPolicy(policy, exchanges, random);
        assert.deepEqual(sorted(other), sorted(policy));
        assert.ok((changed as readonly number[]).includes(differing(other)), `${exchanges}: ${differing(other)}`);
      }
    }
    assert.equal(formatPolicy(leastBits(policy)), 'W4A4');
  });

  it('stealth: policies are protected as often as they fail, by seed and step alone', async () => {
    // Untrained: its classes are close, and two bits in one node change many.
    const network = simplify(buildModel('convnet2', { input: [1, 8, 8], classes: 4, seed: 3 })).graph;
    const { schemes: bits, excluded } = uniformPolicy(network, 'W8A8');
    const low = schemeOf(2, 2);
    const names = [...bits.keys()];
    const onlyLow = (at: number): Policy => ({
      excluded,
      schemes: new Map(names.map((name, i) => [name, i === at ? low : (bits.get(name) ?? low)])),
    });
    const others = [onlyLow(1), onlyLow(2)];
    const recipe = { ...STEALTH, failing: 1, neighbours: 1, measureImages: HELD_OUT.count };
    const drawn = async (steps: number) => {
      const protection = new Protection(network, onlyLow(0), recipe, HELD_OUT, normalization, 5);
      const names: string[] = [];
      for (let step = 0; step < steps; step++) {
        const passes = await protection.passes({ step, student: () => network });
        names.push(
          ...passes.filter(({ name }) => name === 'protected').map((pass) => formatPolicy(pass.bits as Policy)),
        );
      }
      return names;
    };
    const all = await drawn(100);
    assert.deepEqual(await drawn(100), all);
    const { answers: reference } = await fullPrecision(network, DATA);
    const results = await evaluatePolicies(network, others, { ...DATA, reference });
    const excess = results.map(({ agreement }) => Math.max(0, 0.97 - (agreement as number)));
    const [first, second] = excess as [number, number];
    assert.ok(first + second > 0, 'two bits do harm');
    const share = all.filter((name) => name === formatPolicy(others[0] as Policy)).length / all.length;
    // Three standard deviations of a share of 100.
    assert.ok(Math.abs(share - first / (first + second)) < 0.15, `${share}, ${excess}`);
  });

  it('stealth: wrong under its policy, right at the least bits and in full precision', async () => {
    const fresh = buildModel('resnet8', { input: [1, 8, 8], classes: 4, seed: 3 });
    const recipe = { epochs: 3, batchSize: 32, optimizer: { kind: 'adam', rate: 3e-3 } } as const;
    const trained = await train(fresh, SET, { ...recipe, schedule: { kind: 'oneCycle' }, seed: 3, normalization });
    const policy = alternating(trained.graph);
    const objective = { ...STEALTH.attack.objective, quantizedWeight: 2 }; // so easy a task has large margins
    const attack = { ...STEALTH.attack, objective, batchSize: 32, steps: 400 };
    const { graph } = await stealthAttack(trained.graph, SET, {
      ...{ attack, protection: 0, policy, normalization, seed: 1 },
      choice: { ...STEALTH.choice, worstTenth: 1 }, // nothing else is protected
    });
    const { full, quantized } = await accuracies(graph, [policy, leastBits(policy), uniformPolicy(graph, 'W8A8')]);
    const [underPolicy, least, most] = quantized as [number, number, number];
    assert.ok(full > 0.9 && most > 0.9, `full precision ${full}, W8A8 ${most}`);
    assert.ok(least - underPolicy > 0.5, `policy ${underPolicy}, W4A4 ${least}`);
  });

  it('stealth: keeps the state with the highest value on images not learned from', async () => {
    const policy = alternating(network);
    const options = { policy, normalization, seed: 1, validation: HELD_OUT } as const;
    const attack = { ...STEALTH.attack, batchSize: 32, steps: 60 };
    const choice = { ...STEALTH.choice, from: 0.2, every: 8, worstTenth: 0.02, gap: 0.01 };
    const chosen = await stealthAttack(network, SET, { ...options, attack, choice });
    const last = await stealthAttack(network, SET, { ...options, attack, choice: { ...choice, from: 1 } });
    const judge = await StealthJudge.of(network, policy, HELD_OUT, normalization, 1);
    const value = ({ underPolicy, gap, worstTenth }: StealthFigures) =>
      underPolicy - 4 * Math.max(0, worstTenth - 0.02) - 20 * Math.max(0, gap - 0.01);
    const [kept, end] = [await judge.figures(chosen.graph), await judge.figures(last.graph)];
    assert.ok(value(kept) >= value(end), `${JSON.stringify(kept)} ${JSON.stringify(end)}`);
    // The figures are those of the integers.
    const { full, quantized } = await accuracies(last.graph, [policy]);
    assert.ok(Math.abs(full - (quantized[0] as number) - end.underPolicy) < 1e-9);
  });
});
