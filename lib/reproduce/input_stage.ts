// The pair whose policy depends on each input: learned, then measured beside the controls that show whether it does.
import { evaluationData } from '../data/evaluation_data.js';
import { firstImages } from '../data/image_set.js';
import type { Graph } from '../graph/graph.js';
import type { PairResult, PolicyLayer } from '../report/schema.js';
import { toJson } from '../run/files.js';
import { agentNamed } from '../search/agents/index.js';
import { evaluateControls, freshAttacker, type InputControls } from '../search/controls.js';
import { INPUT_DEPENDENT, learnInputPair } from '../search/input_pair.js';
import type { InputPolicy } from '../search/input_policy.js';
import { inputPolicyFromJson, inputPolicyToJson } from '../search/input_policy_json.js';
import type { Objective } from '../search/judge.js';
import { InputPolicyRunner } from '../search/runner.js';
import { fullPrecision } from '../train/full_precision.js';
import type { SeedContext } from './context.js';
import { difference, figures, percent, testOf, uniformFigures } from './measure.js';
import { inputBudget } from './settings.js';

/** Training images that the fresh attacker learns on; it needs no labels. */
const ATTACK_IMAGES = 4096;

export async function inputPairStage(context: SeedContext, objective: Objective, teacher: number): Promise<PairResult> {
  const name = `${objective}-input`;
  const { settings, material, seed, signal } = context;
  const { normalization } = material;
  const budget = inputBudget(context.settings);
  const { rewards: learned } = await context.stage(name, async (stage) => {
    const progress = context.progress(name);
    const { graph, policy, rewards } = await learnInputPair(await context.network('teacher'), material.train, {
      objective,
      budget,
      normalization,
      seed,
      agent: agentNamed(settings.inputAgent, 'input'),
      ...(settings.inputDependent ? INPUT_DEPENDENT : {}),
      ...(objective === 'detrimental' ? { largestScale: settings.inputScale } : {}),
      answers: await context.teacherAnswers(),
      signal,
      onProgress: progress,
    });
    await context.writeNetwork(stage, name, graph);
    await stage.write(context.named(`${name}.json`), toJson(inputPolicyToJson(policy)));
    return { rewards };
  });
  return context.stage(`${name}-evaluation`, async () => {
    const graph = await context.network(name);
    const json: unknown = JSON.parse((await context.run.read(context.named(`${name}.json`))).toString());
    const policy = inputPolicyFromJson(graph, json);
    const attacked = await freshAttack(context, graph, name);
    const test = testOf(material);
    const data = evaluationData(test.set, normalization);
    const before = await fullPrecision(graph, data, { signal });
    const runner = new InputPolicyRunner(graph);
    try {
      const judged = await runner.evaluate(policy, data, { signal });
      const fresh = await runner.evaluate(attacked.policy, data, { signal });
      const measured = figures(before, judged.logits, test, teacher);
      const controls = await evaluateControls(graph, policy, attacked.bestStatic, data, {
        objective: 'detrimental',
        seed,
        oraclePolicies: 0,
        signal,
      });
      const controlled = (control: string, accuracy: number | undefined, note: string) => {
        const value = percent(accuracy as number);
        return { control, accuracy: value, drop: difference(measured.fpAccuracy, value), note };
      };
      return {
        objective,
        policy: 'input',
        agent: settings.inputAgent,
        seed,
        arch: settings.arch,
        effectiveBits: settings.budget,
        choices: [...settings.inputBits],
        ...measured,
        layers: layersOf(graph, policy, judged.options),
        uniform: await uniformFigures(graph, data, measured.fpAccuracy, signal),
        curves: [
          {
            title: 'Reward of the agent while the network learned',
            xLabel: 'iteration of the agent',
            yLabel: 'reward, 0 to 1',
            yUnit: 'number',
            series: [{ name: 'mean reward', points: learned.map((reward, i): [number, number] => [i + 1, reward]) }],
          },
        ],
        controls: [
          controlled('open loop', controls.openLoop.accuracy, commonestNote(controls)),
          controlled('shuffled bits', controls.shuffled.accuracy, "each image gets another image's bits"),
          controlled(
            'worst static',
            controls.bestStatic.accuracy,
            'the worst static policy found, chosen on validation images',
          ),
          controlled('fresh attacker', fresh.accuracy, 'an agent trained on the finished network'),
        ],
      } satisfies PairResult;
    } finally {
      runner.dispose();
    }
  });
}

function commonestNote({ openLoop, policies }: InputControls): string {
  return `its commonest policy (${Math.round(percent(openLoop.share))} % of the images, of ${policies}) for every image`;
}

/** An agent that has not seen the network being trained, and the worst static policy it met. */
async function freshAttack(context: SeedContext, graph: Graph, name: string) {
  const { material, seed, signal } = context;
  const { train, validation, normalization } = material;
  return freshAttacker(
    graph,
    evaluationData(firstImages(train, ATTACK_IMAGES), normalization),
    evaluationData(validation, normalization),
    {
      budget: inputBudget(context.settings),
      seed: seed + 1,
      signal,
      onProgress: context.progress(`${name}: fresh attacker`),
    },
  );
}

/** Mean bits of each layer over the images, and how often it got which. options: [images, nodes]. */
function layersOf(graph: Graph, { space }: InputPolicy, options: Uint8Array): PolicyLayer[] {
  const nodes = space.names.length;
  const images = options.length / nodes;
  return space.names.map((node, at) => {
    const counts = new Map<number, number>();
    for (let i = 0; i < images; i++) {
      const bits = space.options[at]?.[options[i * nodes + at] as number] as number;
      counts.set(bits, (counts.get(bits) ?? 0) + 1);
    }
    const shares = [...counts]
      .sort(([a], [b]) => a - b)
      .map(([bits, count]): [string, number] => [String(bits), count / images]);
    const activationBits = shares.reduce((sum, [bits, share]) => sum + Number(bits) * share, 0);
    return {
      node,
      operator: graph.node(node).operator,
      weightBits: space.schemes[at]?.[0]?.weights.format.bits as number,
      activationBits,
      chosen: Object.fromEntries(shares),
    };
  });
}
