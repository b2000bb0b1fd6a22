// A study of indicators over a population of networks, listed in a file or made: each network is scanned on some images
// and its drop is measured on others. Each is a stage of a run, so that a population can grow and a study that was
// stopped goes on.
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import type { StudyNetwork } from '../assess/indicators/predictor.js';
import { type IndicatorStudy, studyIndicators } from '../assess/indicators/study.js';
import { float32Policy } from '../assess/measure/figures.js';
import { Measurer } from '../assess/measure/measurer.js';
import { imageSamples, type Samples, splitSamples } from '../assess/samples.js';
import { scan } from '../assess/scan/scan.js';
import { InvalidArgumentError } from '../core/errors.js';
import type { Dataset } from '../data/image_set.js';
import type { Graph } from '../graph/graph.js';
import { modelDigest } from '../graph/onnx/codec.js';
import { loadModel } from '../graph/onnx/import.js';
import type { ArchitectureName } from '../models/index.js';
import { policyFromJson } from '../policy/json.js';
import type { Policy } from '../policy/policy.js';
import { toJson } from '../run/files.js';
import type { RunDirectory } from '../run/run_directory.js';
import { percentScore } from '../tasks/task.js';
import { namedPolicy } from './attack_stage.js';
import { buildPopulation } from './population.js';

const populationSchema = z.object({
  schema: z.literal('faultline.population/1'),
  networks: z.array(
    z.object({
      name: z.string().regex(/^[\w.-]+$/, 'letters, digits, ".", "_", "-"'),
      /** ONNX file, relative to this file. */
      model: z.string(),
      teacher: z.string(),
      arch: z.string(),
      kind: z.string(),
      /** Bits as W4A4, a digit for each node, or policy files relative to this one. Default: those of the study. */
      policies: z.array(z.string()).optional(),
    }),
  ),
});

/** A network of a population, its files as absolute paths. */
type Member = z.infer<typeof populationSchema>['networks'][number];

/** What decides the figures of a study. */
interface StudySettings {
  /** Name of the data. */
  readonly data: string;
  /** What the drop is measured under where a network does not say: W2A2 … W8A8. */
  readonly bits: string;
  /** Unlabelled images, for the indicators. */
  readonly images: number;
  /** Other images, for the drop. */
  readonly judged: number;
  /** Of each kind of noise. */
  readonly draws: number;
  readonly seed: number;
}

interface StudyOptions extends StudySettings {
  readonly run: RunDirectory;
  /** Networks of a file; undefined: they are made in the run. */
  readonly members: readonly Member[] | undefined;
  readonly archs: readonly ArchitectureName[];
  /** Of each architecture. */
  readonly teachers: number;
  /** That networks made here learn from. */
  readonly trainImages: number;
  /** Leaves other policies out. */
  readonly only?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((stage: string, done: number, total: number) => void) | undefined;
}

/** The networks of a faultline.population/1 file. Throws InvalidArgumentError, naming the file. */
export async function readPopulation(path: string): Promise<Member[]> {
  let json: unknown;
  try {
    json = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw new InvalidArgumentError('study', path, 'a population as JSON', (error as Error).message);
  }
  const parsed = populationSchema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const where = `${path}: ${issue?.path.join('.')}`;
    throw new InvalidArgumentError('study', where, 'what faultline.population/1 says', `${issue?.message}`);
  }
  const { networks } = parsed.data;
  const names = networks.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new InvalidArgumentError('study', path, 'each name once', twice);
  const absolute = (file: string) => resolve(dirname(path), file);
  return networks.map((member) => ({
    ...member,
    model: absolute(member.model),
    policies: member.policies?.map((policy) => (policy.endsWith('.json') ? absolute(policy) : policy)),
  }));
}

async function policyOf(graph: Graph, policy: string): Promise<Policy> {
  return policy.endsWith('.json')
    ? policyFromJson(graph, JSON.parse(await readFile(policy, 'utf8')))
    : namedPolicy(graph, policy);
}

/** Scanned without labels on some samples; its drop measured in integers on the others. */
async function measure(
  model: string,
  policyText: string,
  samplesFor: (graph: Graph) => Samples,
  { images, draws, seed, signal }: StudyOptions,
): Promise<Pick<StudyNetwork, 'drop' | 'indicators'>> {
  const { graph } = await loadModel(model);
  const [seen, judged] = splitSamples(samplesFor(graph), images, seed);
  const policy = await policyOf(graph, policyText);
  const { indicators } = await scan(graph, seen, { policy, draws, seed, layerFlips: false, signal });
  const measurer = new Measurer(graph);
  try {
    const outcomes = await measurer.run(judged, [float32Policy(measurer.graph), policy], { signal });
    const labels = judged.labels ?? new Int32Array(0);
    const [fp, quantized] = outcomes.map(({ answers }) => percentScore(judged.task, answers, labels)) as [
      number,
      number,
    ];
    return { drop: fp - quantized, indicators };
  } finally {
    measurer.dispose();
  }
}

/** Makes a population in the run. */
async function makePopulation(dataset: Dataset, options: StudyOptions): Promise<Member[]> {
  const { run, archs, teachers, trainImages, seed, signal, onProgress, data } = options;
  const { train, classNames, normalization } = dataset;
  if (!train) throw new InvalidArgumentError('study', '--data', 'a set with training images', data);
  const networks = await buildPopulation(run, train, classNames.length, normalization, {
    ...{ archs, teachers, images: trainImages, seed, signal },
    onProgress: (done, total, name) => onProgress?.(`making ${name}`, done, total),
  });
  await run.write('population.json', toJson({ schema: 'faultline.population/1', networks }));
  return readPopulation(run.file('population.json'));
}

/** Measures every network under its policies on the test images, and sets the indicators beside the drops. */
export async function study(dataset: Dataset, options: StudyOptions): Promise<IndicatorStudy> {
  const { data, bits, images, judged, draws, seed, run, only, onProgress } = options;
  const { test } = dataset;
  if (!test.labels) throw new InvalidArgumentError('study', '--data', 'test images with labels', data);
  const members = options.members ?? (await makePopulation(dataset, options));
  const samplesFor = (graph: Graph) =>
    imageSamples(graph, test, dataset.normalization, { count: images + judged, seed });
  const networks: StudyNetwork[] = [];
  for (const [i, { name, model, teacher, arch, kind, policies = [bits] }] of members.entries()) {
    for (const policy of policies.filter((one) => only === undefined || one === only)) {
      // Named by its content: a network that changed is measured anew.
      const label = policy.endsWith('.json') ? 'file' : policy;
      const content = (await modelDigest(model)).slice(0, 12);
      const found = await run.stage(`${name}-${label}-${content}`, () => measure(model, policy, samplesFor, options));
      networks.push({ name, teacher, arch, kind, policy: label, ...found });
      onProgress?.(`${name} ${label}, ${found.drop.toFixed(2)} points`, i + 1, members.length);
    }
  }
  return studyIndicators(networks, { data, bits, images, judged, draws, seed });
}
