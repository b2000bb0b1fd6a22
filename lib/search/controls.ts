// Controls that a search is compared with. Of static agents: baselines with as many evaluations. Of policies by
// input: an attacker that did not see the network in training, the policy's commonest choice alone (open loop), its
// bits dealt to other samples (shuffled), the best static policy, and oracles that see what every policy would do to a
// sample. An agent that does not beat the open loop, the shuffled bits and the best static does not depend on its input.
import type { Graph } from '../graph/graph.js';
import type { Policy } from '../policy/policy.js';
import { type EvaluationData, PolicyEvaluator } from '../runtime/evaluate_policies.js';
import { Random } from '../tensor/random.js';
import type { InputSearchOptions, InputSearchResult, StaticAgent } from './agent.js';
import { gateWith } from './agents/gate.js';
import { agentNamed } from './agents/index.js';
import { rewardTables } from './candidates.js';
import type { InputPolicy } from './input_policy.js';
import type { Objective } from './judge.js';
import { classesOf, InputPolicyRunner, type RunnerOptions, withReference } from './runner.js';
import type { ActivationSpace } from './space.js';

/** The static agents that any other is set beside: those that need no more than what every agent gets. */
export const BASELINES: readonly StaticAgent[] = ['random', 'sensitivity', 'greedy', 'cem', 'bayes'].map((name) =>
  agentNamed(name),
);

/** Its search: the gate alone, with fewer policies and epochs than usual, as every pair is attacked. */
const ATTACKER = { pool: 800, candidates: 8 } as const;
const ATTACKER_EPOCHS = 8;

/** An attacker that did not see the network in training, and the worst static policy that it met. */
export function freshAttacker(
  graph: Graph,
  train: EvaluationData,
  validation: EvaluationData,
  options: Omit<InputSearchOptions, 'objective' | keyof typeof ATTACKER>,
): Promise<InputSearchResult> {
  const search = { ...options, ...ATTACKER, objective: 'detrimental' } as const;
  return gateWith({ epochs: ATTACKER_EPOCHS }).search(graph, train, validation, search);
}

/** Shares of the samples. */
export interface ControlScore {
  /** Undefined without labels. */
  readonly accuracy: number | undefined;
  /** With full precision's classes. */
  readonly agreement: number | undefined;
}

/** A policy by input beside what takes its choices away. */
export interface InputControls {
  readonly agent: ControlScore;
  /** The policy that the agent chooses most often, for every sample. */
  readonly openLoop: ControlScore & { readonly policy: Policy; readonly share: number };
  /** The agent's bits, each sample's assigned to another. */
  readonly shuffled: ControlScore;
  readonly bestStatic: ControlScore & { readonly policy: Policy };
  /**
   * For each sample the sampled policy that moves the margin of full precision's class most: no labels. Undefined when
   * `oraclePolicies` is 0.
   */
  readonly oracle: ControlScore | undefined;
  /** For each sample the sampled policy that moves the margin of its label most; undefined without labels too. */
  readonly labelOracle: ControlScore | undefined;
  /** Different policies that the agent chose. */
  readonly policies: number;
}

/** What the controls are run on. */
export interface ControlOptions extends RunnerOptions {
  readonly objective: Objective;
  readonly seed: number;
  /** Policies that the oracles choose from, the agent's candidates among them; 0: no oracles. Default 128. */
  readonly oraclePolicies?: number;
}

const ORACLE_POLICIES = 128;

/** Bits of the samples dealt anew: [samples, nodes]. */
export function shuffleOptions(options: Uint8Array, nodes: number, random: Random): Uint8Array {
  const samples = options.length / nodes;
  const order = random.shuffle(Int32Array.from({ length: samples }, (_, i) => i));
  const out = new Uint8Array(options.length);
  order.forEach((from, to) => {
    out.set(options.subarray(from * nodes, (from + 1) * nodes), to * nodes);
  });
  return out;
}

/** The commonest row of [samples, nodes], of equals the one seen first; its share; how many different there are. */
export function commonest(options: Uint8Array, nodes: number) {
  const counts = new Map<string, { readonly row: Uint8Array; count: number }>();
  for (let at = 0; at < options.length; at += nodes) {
    const row = options.subarray(at, at + nodes);
    const known = counts.get(row.join());
    if (known) known.count += 1;
    else counts.set(row.join(), { row, count: 1 });
  }
  let best: { readonly row: Uint8Array; count: number } = { row: new Uint8Array(nodes), count: 0 };
  for (const each of counts.values()) if (each.count > best.count) best = each;
  return { row: best.row, share: (best.count * nodes) / options.length, policies: counts.size };
}

function oraclePool(policy: InputPolicy, count: number, random: Random): Uint8Array[] {
  const { space, candidates } = policy;
  const pool = new Map(candidates.slice(0, count).map((options) => [options.join(), options]));
  const most = space.count < BigInt(count) ? Number(space.count) : count;
  // Spaces hardly larger than the request: drawing the last ones takes long, and they matter little.
  for (let attempt = 0; pool.size < most && attempt < 8 * count; attempt++) {
    const drawn = space.sample(random);
    pool.set(drawn.join(), drawn);
  }
  return [...pool.values()];
}

/** The bits that are best for each sample of a reward table: [samples, nodes]. */
function bestRows(table: Float32Array, pool: readonly Uint8Array[], space: ActivationSpace): Uint8Array {
  const [width, nodes] = [pool.length, space.names.length];
  const samples = table.length / width;
  const out = new Uint8Array(samples * nodes);
  for (let i = 0; i < samples; i++) {
    let best = 0;
    for (let p = 1; p < width; p++) {
      if ((table[i * width + p] as number) > (table[i * width + best] as number)) best = p;
    }
    out.set(pool[best] as Uint8Array, i * nodes);
  }
  return out;
}

/** Everything on the same samples, in integers. */
export async function evaluateControls(
  graph: Graph,
  policy: InputPolicy,
  bestStatic: Policy,
  samples: EvaluationData,
  options: ControlOptions,
): Promise<InputControls> {
  const { objective, signal } = options;
  const random = new Random(options.seed).split('controls');
  const { space } = policy;
  const nodes = space.names.length;
  const data = await withReference(graph, samples, { signal });
  const runner = new InputPolicyRunner(graph);
  const evaluator = new PolicyEvaluator(graph);
  const score = ({ accuracy, agreement }: ControlScore): ControlScore => ({ accuracy, agreement });
  try {
    const agent = await runner.evaluate(policy, data, options);
    const shuffled = shuffleOptions(agent.options, nodes, random.split('shuffled'));
    const { row, share, policies } = commonest(agent.options, nodes);
    const open = space.decode(row);
    const [openLoop, fixed] = await evaluator.evaluate([open, bestStatic], data, { signal });
    const pool = oraclePool(policy, options.oraclePolicies ?? ORACLE_POLICIES, random.split('oracle'));
    // Where there are labels, both oracles look at the same logits.
    const references = [data.reference, ...(data.labels ? [classesOf(graph, data).of(data.labels)] : [])];
    const tables =
      pool.length > 0 ? await rewardTables(evaluator, space, pool, data, references, objective, { signal }) : [];
    const oracle = async (table: Float32Array | undefined) =>
      table && score(await runner.replay(space, bestRows(table, pool, space), data, { signal }));
    return {
      agent: score(agent),
      openLoop: { ...score(openLoop as ControlScore), policy: open, share },
      shuffled: score(await runner.replay(space, shuffled, data, { signal })),
      bestStatic: { ...score(fixed as ControlScore), policy: bestStatic },
      oracle: await oracle(tables[0]),
      labelOracle: await oracle(tables[1]),
      policies,
    };
  } finally {
    runner.dispose();
    evaluator.dispose();
  }
}
