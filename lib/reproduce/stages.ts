// The stages of a reproduction: each leaves its networks in the run, and returns its part of the report.

import { rm } from 'node:fs/promises';
import { evaluationData } from '../data/evaluation_data.js';
import { firstImages } from '../data/image_set.js';
import type { Graph } from '../graph/graph.js';
import { loadModel } from '../graph/onnx/import.js';
import { prepare } from '../graph/prepare.js';
import { buildModel } from '../models/index.js';
import { BudgetSpace } from '../policy/budget.js';
import { effectiveBits } from '../policy/effective_bits.js';
import { policyFromJson, policyToJson } from '../policy/json.js';
import { type Policy, uniformPolicy } from '../policy/policy.js';
import type { Curve, GaugeResult, Landscape, PairResult, ReportInput, SearchResult } from '../report/schema.js';
import { toJson } from '../run/files.js';
import { evaluatePolicies } from '../runtime/evaluate_policies.js';
import { agentNamed } from '../search/agents/index.js';
import { Judge, type Objective } from '../search/judge.js';
import { learnPair, type PairCandidate } from '../search/pair.js';
import { fullPrecision } from '../train/full_precision.js';
import { gaugeAttack } from '../train/gauge.js';
import { train } from '../train/train.js';
import type { SeedContext } from './context.js';
import { landscapeOf } from './landscape.js';
import { figures, measureStatic, percent, testOf, uniformFigures } from './measure.js';
import { staticBudget } from './settings.js';

export type TeacherPart = NonNullable<ReportInput['teacher']>;

/** The teacher, teacher.onnx: trained, or read. */
export async function teacherStage(context: SeedContext): Promise<TeacherPart> {
  const { settings, material, signal } = context;
  return context.stage('teacher', async (stage) => {
    const { teacherModel } = settings;
    const learned = teacherModel ? (await loadModel(teacherModel)).graph : await trainTeacher(context);
    // What would be deployed: students start from it, and its answers are the ones compared with.
    const teacher = prepare(learned);
    await context.writeNetwork(stage, 'teacher', teacher);
    await rm(context.checkpoints('teacher'), { recursive: true, force: true });
    const { test, validation, normalization } = material;
    const data = evaluationData(test, normalization);
    const onTest = await fullPrecision(teacher, data, { signal });
    const onValidation = await fullPrecision(teacher, evaluationData(validation, normalization), { signal });
    const accuracy = percent(onTest.accuracy as number);
    return {
      accuracy,
      arch: settings.arch,
      images: test.count,
      validationAccuracy: percent(onValidation.accuracy as number),
      uniform: await uniformFigures(teacher, data, accuracy, signal),
    };
  });
}

async function trainTeacher(context: SeedContext): Promise<Graph> {
  const { settings, material, seed, signal } = context;
  const { channels, height, width } = material.train;
  const classes = material.classNames.length;
  const graph = buildModel(settings.arch, { input: [channels, height, width], classes, seed });
  const progress = context.progress('teacher');
  const trained = await train(graph, material.train, {
    ...settings.teacher,
    normalization: material.normalization,
    seed,
    checkpoints: context.checkpoints('teacher'),
    resume: true,
    signal,
    onProgress: ({ step, steps }) => progress(step, steps),
  });
  return trained.graph;
}

interface Learned {
  readonly rounds: readonly { readonly step: number; readonly accuracy: number }[];
  readonly candidates: readonly PairCandidate[];
}

/** A network and a static policy, learned together; evaluated on the test images. */
export async function staticPairStage(
  context: SeedContext,
  objective: Objective,
  teacher: number,
): Promise<PairResult> {
  const { settings, material, seed, signal } = context;
  const name = `${objective}-static`;
  const { staticChoices, agent } = settings;
  const learned = await context.stage<Learned>(name, async (stage) => {
    const student = await context.network('teacher');
    const space = new BudgetSpace(student, staticBudget(settings));
    const progress = context.progress(name);
    const checkpoints = context.checkpoints(name);
    const pair = await learnPair(student, material.train, {
      kind: objective,
      teacher: student,
      answers: await context.teacherAnswers(),
      normalization: material.normalization,
      validation: material.validation,
      space,
      agent: agentNamed(agent),
      searchImages: settings.searchImages,
      epochs: settings.staticEpochs[objective],
      seed,
      checkpoints,
      resume: true,
      signal,
      onProgress: ({ step, steps }) => progress(step, steps),
    });
    await context.writeNetwork(stage, name, pair.graph);
    await stage.write(context.named(`${name}.json`), toJson(policyToJson(pair.policy)));
    await rm(checkpoints, { recursive: true, force: true });
    return { rounds: pair.rounds.map(({ step, accuracy }) => ({ step, accuracy })), candidates: pair.candidates };
  });
  return context.stage(`${name}-evaluation`, async () => {
    const graph = await context.network(name);
    const policy = await readNamedPolicy(context, name);
    const measured = await measureStatic(graph, policy, testOf(material), teacher, signal);
    const bits = effectiveBits(graph, policy);
    const about = { objective, policy: 'static', agent, seed, arch: settings.arch } as const;
    return { ...about, effectiveBits: bits, choices: bitsOf(staticChoices), ...measured, curves: [curveOf(learned)] };
  });
}

/** How the pair was found, on validation images. */
function curveOf({ rounds, candidates }: Learned): Curve {
  return {
    title: 'While it was learned, on validation images',
    xLabel: 'step',
    yLabel: 'accuracy',
    yUnit: 'percent',
    series: [
      {
        name: 'policy found, before more training',
        points: rounds.map(({ step, accuracy }) => [step, percent(accuracy)]),
      },
      {
        name: 'states to choose from: full precision',
        points: candidates.map(({ step, accuracy }) => [step, percent(accuracy)]),
      },
      {
        name: 'states to choose from: integers',
        points: candidates.map(({ step, quantized }) => [step, percent(quantized)]),
      },
    ],
  };
}

/** Numbers of bits in names such as W4A8. */
function bitsOf(choices: readonly string[]): number[] {
  const all = choices.flatMap((choice) => (choice.match(/\d/g) ?? []).map(Number));
  return [...new Set(all)].sort((a, b) => a - b);
}

export async function readNamedPolicy(context: SeedContext, name: string): Promise<Policy> {
  const json: unknown = JSON.parse((await context.run.read(context.named(`${name}.json`))).toString());
  return policyFromJson(await context.network(name), json);
}

/** Channels of the teacher rescaled so that it fails at 8 bits, the same function in full precision. */
export async function gaugeStage(context: SeedContext, teacher: number): Promise<GaugeResult> {
  const { settings, material, seed, signal } = context;
  const { gaugeBits: bits } = settings;
  return context.stage('gauge', async (stage) => {
    const network = await context.network('teacher');
    const progress = context.progress('gauge');
    const { train: set, normalization } = material;
    const { graph } = await gaugeAttack(network, set, {
      policy: uniformPolicy(network, bits),
      normalization,
      seed,
      signal,
      onProgress: ({ step, steps }) => progress(step, steps),
    });
    await context.writeNetwork(stage, 'gauge', graph);
    const data = evaluationData(material.test, normalization);
    const before = await fullPrecision(network, data, { signal });
    const after = await fullPrecision(graph, data, { signal });
    const [quantized] = await evaluatePolicies(graph, [uniformPolicy(graph, bits)], data, { logits: true, signal });
    const found = figures(after, quantized?.logits as Float32Array, testOf(material), teacher);
    const { fpAccuracy, fpGap, quantizedAccuracy, quantizedInterval, drop, dropInterval } = found;
    return {
      seed,
      bits,
      fpAccuracy,
      fpGap,
      fpBitExact: sameBits(before.logits, after.logits),
      quantizedAccuracy,
      quantizedInterval,
      drop,
      dropInterval,
    };
  });
}

function sameBits(a: Float32Array, b: Float32Array): boolean {
  const bytes = (array: Float32Array) => Buffer.from(array.buffer, array.byteOffset, array.byteLength);
  return bytes(a).equals(bytes(b));
}

/** Agents and baselines on the detrimental network, at equal evaluations, against all policies of the budget. */
export async function searchStage(
  context: SeedContext,
): Promise<{ readonly search: SearchResult[]; readonly landscape: Landscape }> {
  const { settings, material, seed, signal } = context;
  return context.stage('search', async () => {
    const graph = await context.network('detrimental-static');
    const learned = await readNamedPolicy(context, 'detrimental-static');
    const { budget, agents, evaluations, searchImages } = settings;
    const space = new BudgetSpace(graph, staticBudget(settings));
    const images = firstImages(material.validation, searchImages);
    const data = evaluationData(images, material.normalization);
    const judge = Judge.onIntegers(graph, space, data, { measure: 'accuracy' });
    try {
      const all = await landscapeOf(judge, { name: 'detrimental', budget, learned, signal });
      const progress = context.progress('search');
      const search: SearchResult[] = [];
      for (const [i, name] of agents.entries()) {
        progress(i, agents.length);
        const found = await agentNamed(name).search(judge, { objective: 'detrimental', evaluations, seed, signal });
        const curve = found.history.map(({ evaluations: at, best }): [number, number] => [
          at,
          percent(best - all.least),
        ]);
        const regret = percent(found.value - all.least);
        const accuracy = percent(found.value);
        search.push({ agent: name, evaluations: found.evaluations, regret, seed, accuracy, curve });
      }
      return { search, landscape: all.landscape };
    } finally {
      judge.dispose();
    }
  });
}
