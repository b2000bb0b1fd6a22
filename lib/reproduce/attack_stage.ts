// Attacks on a fixed policy: the network is learned, the policy is not searched.

import { evaluationData } from '../data/evaluation_data.js';
import { parseChoice } from '../format/scheme.js';
import { quantizableNodes } from '../graph/check.js';
import { GraphError } from '../graph/errors.js';
import type { Graph } from '../graph/graph.js';
import { BudgetSpace } from '../policy/budget.js';
import { effectiveBits } from '../policy/effective_bits.js';
import { policyToJson } from '../policy/json.js';
import { type Policy, uniformPolicy } from '../policy/policy.js';
import type { Landscape, PairResult } from '../report/schema.js';
import { toJson } from '../run/files.js';
import { Judge } from '../search/judge.js';
import { quantile } from '../statistics/summary.js';
import { BOUNDED_GAUGE, CELLS, cellAttack } from '../train/cell_attack.js';
import { stealthAttack } from '../train/stealth.js';
import type { SeedContext } from './context.js';
import { landscapeOf } from './landscape.js';
import { measureStatic, percent, testOf } from './measure.js';
import type { AttackSetting } from './settings.js';
import { readNamedPolicy } from './stages.js';

/** `W4A4`, or a digit for each quantizable node in order: `8484848484` gives both weight and activation these bits. */
export function namedPolicy(graph: Graph, name: string): Policy {
  if (!/^\d{2,}$/.test(name)) return uniformPolicy(graph, name);
  const nodes = quantizableNodes(graph).map((node) => node.name);
  if (nodes.length !== name.length) {
    throw new GraphError(
      graph.name,
      `has ${nodes.length} quantizable nodes, the policy ${name} bits for ${name.length}`,
    );
  }
  const schemes = nodes.map((node, i) => [node, parseChoice(name[i] as string)] as const);
  return { schemes: new Map(schemes), excluded: new Set() };
}

/** Figures of the other policies, beside their histogram. */
const OTHERS = [
  { share: 0.1, label: 'a tenth of the others below' },
  { share: 0.5, label: 'half of the others below' },
];

interface AttackPart {
  readonly pair: PairResult;
  /** All policies of the same bits dealt otherwise, where the policy is not uniform. */
  readonly landscape: Landscape | undefined;
}

export async function attackStage(context: SeedContext, attack: AttackSetting, teacher: number): Promise<AttackPart> {
  const { settings, material, seed, signal } = context;
  const { kind } = attack;
  const { train, validation, test, normalization } = material;
  await context.stage(kind, async (stage) => {
    const network = await context.network('teacher');
    const policy = namedPolicy(network, attack.policy);
    const progress = context.progress(kind);
    const options = {
      ...{ policy, normalization, seed, signal, teacher: await context.teacherAnswers() },
      onProgress: (at: { readonly step: number; readonly steps: number }) => progress(at.step, at.steps),
    };
    const recipe = kind === 'bounded-gauge' ? BOUNDED_GAUGE : CELLS;
    const { graph } =
      kind === 'stealth'
        ? await stealthAttack(network, train, { ...options, validation })
        : await cellAttack(network, train, { ...recipe, ...options });
    await context.writeNetwork(stage, kind, graph);
    await stage.write(context.named(`${kind}.json`), toJson(policyToJson(policy)));
    return null;
  });
  return context.stage(`${kind}-evaluation`, async () => {
    const graph = await context.network(kind);
    const policy = await readNamedPolicy(context, kind);
    const measured = await measureStatic(graph, policy, testOf(material), teacher, signal);
    const about = { objective: 'detrimental', policy: 'static', agent: kind, seed, arch: settings.arch } as const;
    const bits = effectiveBits(graph, policy);
    const pair: PairResult = { ...about, effectiveBits: bits, ...measured };
    const choices = [...new Set(policy.schemes.values())];
    if (choices.length < 2) return { pair, landscape: undefined };
    const space = new BudgetSpace(graph, { bits, choices });
    const data = evaluationData(test, normalization);
    const judge = Judge.onIntegers(graph, space, data, { measure: 'accuracy' });
    try {
      const { landscape, others } = await landscapeOf(judge, { name: kind, budget: bits, learned: policy, signal });
      const marks = OTHERS.map(({ share, label }) => ({ x: percent(quantile(others, share)), label }));
      return { pair, landscape: { ...landscape, marks: [...(landscape.marks ?? []), ...marks] } };
    } finally {
      judge.dispose();
    }
  });
}
