// `faultline study`: how good the indicators of `faultline scan` are, over networks with measured drops. The networks are
// listed in a file, or made; each is a stage of a run directory, so that a population can grow and an interrupted study goes
// on.
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import { INDICATORS } from '../assess/indicators/names.js';
import { type StudyNetwork, termLabels } from '../assess/indicators/predictor.js';
import { type FittedQuality, type IndicatorStudy, type Quality, studyIndicators } from '../assess/indicators/study.js';
import { float32Policy } from '../assess/measure/figures.js';
import { Measurer } from '../assess/measure/measurer.js';
import { imageSamples, type Samples, splitSamples } from '../assess/samples.js';
import { scan } from '../assess/scan/scan.js';
import { InvalidArgumentError } from '../core/errors.js';
import type { Dataset } from '../data/image_set.js';
import { loadDataset } from '../data/load.js';
import { formatScheme, parseScheme } from '../format/scheme.js';
import { modelDigest } from '../graph/onnx/codec.js';
import { loadModel } from '../graph/onnx/import.js';
import { ARCHITECTURE_NAMES, type ArchitectureName } from '../models/index.js';
import { plural } from '../report/format.js';
import { wrapText } from '../report/text.js';
import { writeReport } from '../report/write.js';
import { namedPolicy } from '../reproduce/attack_stage.js';
import { buildPopulation } from '../reproduce/population.js';
import { toJson } from '../run/files.js';
import { RunDirectory } from '../run/run_directory.js';
import type { Estimate } from '../statistics/ranks.js';
import { chosen } from './option.js';
import { integerOption } from './options.js';
import { readPolicy } from './policy.js';

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
      /** Bits as W4A4, a digit for each node, or faultline.policy/1 files relative to this one. Default: --bits. */
      policies: z.array(z.string()).optional(),
    }),
  ),
});

type Member = z.infer<typeof populationSchema>['networks'][number];
type Graph = Parameters<typeof scan>[0];

interface StudyFlags {
  readonly data: string;
  readonly dataDir?: string;
  readonly out: string;
  readonly bits: string;
  readonly images: number;
  readonly judged: number;
  readonly draws: number;
  readonly seed: number;
  readonly archs: readonly ArchitectureName[];
  readonly teachers: number;
  readonly trainImages: number;
  readonly only?: string;
  readonly fresh?: true;
}

function bitsOption(text: string): string {
  try {
    return formatScheme(parseScheme(text));
  } catch {
    throw new InvalidArgumentError('study', '--bits', 'W2A2 … W8A8', text);
  }
}

function archsOption(text: string): ArchitectureName[] {
  return text.split(',').map((part) => chosen('--archs', ARCHITECTURE_NAMES, part.trim()));
}

async function readPopulation(path: string): Promise<Member[]> {
  let json: unknown;
  try {
    json = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw new InvalidArgumentError('study', path, 'a population as JSON', (error as Error).message);
  }
  const parsed = populationSchema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new InvalidArgumentError(
      'study',
      `${path}: ${issue?.path.join('.')}`,
      'as it should be',
      `${issue?.message}`,
    );
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

/** Scanned without labels on some samples; its drop measured in integers on the others. */
async function measure(
  model: string,
  policyText: string,
  samplesFor: (graph: Graph) => Samples,
  flags: StudyFlags,
): Promise<Pick<StudyNetwork, 'drop' | 'indicators'>> {
  const { graph } = await loadModel(model);
  const [seen, judged] = splitSamples(samplesFor(graph), flags.images, flags.seed);
  const policy = policyText.endsWith('.json') ? await readPolicy(graph, policyText) : namedPolicy(graph, policyText);
  const { draws, seed } = flags;
  const { indicators } = await scan(graph, seen, { policy, draws, seed, layerFlips: false });
  const measurer = new Measurer(graph);
  try {
    const outcomes = await measurer.run(judged, [float32Policy(policy.schemes.keys()), policy]);
    const labels = judged.labels ?? new Int32Array(0);
    const [fp, quantized] = outcomes.map(({ classes }) => measurer.task.percent(classes, labels)) as [number, number];
    return { drop: fp - quantized, indicators };
  } finally {
    measurer.dispose();
  }
}

const ends = ({ interval: [low, high] }: Estimate): [number, number] => [low, high];

const figure = (estimate: Quality['spearman']) =>
  estimate ? `${estimate.value.toFixed(2)} [${estimate.interval.map((end) => end.toFixed(2)).join(', ')}]` : '–';

function fittedLine(what: string, found: FittedQuality | undefined): string {
  if (!found) return `${what}: too few to tell`;
  return (
    `${what}: Spearman ${figure(found.spearman)}, AUROC ${figure(found.auroc)}, ` +
    `off by ${found.meanError.toFixed(1)} points`
  );
}

/** What was studied, in a sentence. */
function populationLine({ networks, predictor, threshold }: IndicatorStudy): string {
  const broken = networks.filter(({ drop }) => drop > threshold).length;
  const { networks: count, teachers, archs, policies } = predictor.provenance;
  return (
    `${plural(count, 'network')} of ${plural(teachers.length, 'teacher')} and ${plural(archs.length, 'architecture')}, ` +
    `${plural(networks.length, 'measured drop')} under ${policies.join(', ')}, ${broken} of more than ${threshold} points`
  );
}

export function studyText(study: IndicatorStudy): string {
  const { predictor } = study;
  return [
    ...wrapText(populationLine(study)),
    '',
    `${'indicator'.padEnd(28)}${'Spearman'.padEnd(22)}AUROC`,
    ...study.indicators.map(({ indicator, all }) =>
      `${INDICATORS[indicator].label.padEnd(28)}${figure(all.spearman).padEnd(22)}${figure(all.auroc)}`.trimEnd(),
    ),
    '',
    ...wrapText(`predictor: ${termLabels(predictor)}. Chosen and fitted without what it is judged on:`),
    ...wrapText(fittedLine('held-out teachers', study.heldOutTeachers), '  '),
    ...wrapText(fittedLine('held-out architectures', study.heldOutArchs), '  '),
    '',
  ].join('\n');
}

/** The population of a file, or one made in the run. */
async function membersOf(
  path: string | undefined,
  run: RunDirectory,
  dataset: Dataset,
  flags: StudyFlags,
): Promise<Member[]> {
  if (path !== undefined) return readPopulation(path);
  const { train, classNames, normalization } = dataset;
  if (!train) throw new InvalidArgumentError('study', '--data', 'a set with training images', flags.data);
  const { archs, teachers, trainImages, seed } = flags;
  const networks = await buildPopulation(run, train, classNames.length, normalization, {
    ...{ archs, teachers, images: trainImages, seed },
    onProgress: (done, total, name) => process.stderr.write(`${done}/${total} making ${name}\n`),
  });
  const file = run.file('population.json');
  await run.write('population.json', toJson({ schema: 'faultline.population/1', networks }));
  return readPopulation(file);
}

async function studyCommand(path: string | undefined, flags: StudyFlags): Promise<void> {
  if (path !== undefined) await readPopulation(path);
  const { data, bits, images, judged, draws, seed } = flags;
  const dataset = await loadDataset(data, flags.dataDir === undefined ? {} : { from: flags.dataDir });
  const set = dataset.test;
  if (!set.labels) throw new InvalidArgumentError('study', '--data', 'test images with labels', data);
  const settings = { data, bits, images, judged, draws, seed };
  const { archs, teachers, trainImages } = flags;
  const run = await RunDirectory.open(flags.out, {
    command: `faultline study ${path ?? ''}`,
    configuration: path === undefined ? { ...settings, archs, teachers, trainImages } : settings,
    fresh: flags.fresh,
  });
  try {
    const members = await membersOf(path, run, dataset, flags);
    const networks: StudyNetwork[] = [];
    const samplesFor = (graph: Graph) =>
      imageSamples(graph, set, dataset.normalization, { count: images + judged, seed });
    for (const [i, { name, model, teacher, arch, kind, policies = [bits] }] of members.entries()) {
      for (const policy of policies.filter((one) => flags.only === undefined || one === flags.only)) {
        // Named by its content: a network that changed is measured anew.
        const own = policy.endsWith('.json') ? 'own' : policy;
        const content = (await modelDigest(model)).slice(0, 12);
        const found = await run.stage(`${name}-${own}-${content}`, () => measure(model, policy, samplesFor, flags));
        networks.push({ name, teacher, arch, kind, policy: own, ...found });
        const line = `${i + 1}/${members.length} ${name} ${own}: ${found.drop.toFixed(2)} points`;
        process.stderr.write(`${line}\n`);
      }
    }
    const study = studyIndicators(networks, settings);
    await run.write('study.json', toJson(study));
    await run.write('predictor.json', toJson(study.predictor));
    await writeReport(flags.out, {
      schema: 'faultline.report/1',
      title: `Indicators over ${study.predictor.provenance.networks} networks`,
      summary:
        `${populationLine(study)}. A predictor of ${termLabels(study.predictor)}, chosen and fitted without what it is ` +
        `judged on. ${fittedLine('Held-out teachers', study.heldOutTeachers)}. ` +
        `${fittedLine('Held-out architectures', study.heldOutArchs)}.`,
      indicators: study.indicators.map(({ indicator, all }) => ({
        indicator: INDICATORS[indicator].label,
        ...(all.spearman ? { spearman: all.spearman.value, spearmanInterval: ends(all.spearman) } : {}),
        ...(all.auroc ? { auroc: all.auroc.value, aurocInterval: ends(all.auroc) } : {}),
        note: INDICATORS[indicator].classical ? 'classical' : '',
      })),
    });
    process.stdout.write(studyText(study));
  } finally {
    run.close();
  }
}

export function addStudyCommand(program: Command): void {
  program
    .command('study')
    .argument('[population.json]', 'networks with teacher, arch and kind, faultline.population/1; default: made here')
    .description('how well indicators from full precision tell the drop, over a population of networks')
    .requiredOption('--data <name or path>', 'labelled test images')
    .option('--data-dir <folder or URL>', 'where the files of a named data set are')
    .requiredOption('--out <folder>', 'run directory: study.json, predictor.json, report.html; goes on where it was')
    .option('--bits <bits>', 'what the drop is measured under: W2A2 … W8A8', bitsOption, 'W4A4')
    .option('--images <n>', 'unlabelled, for the indicators', integerOption('--images', 1), 256)
    .option('--judged <n>', 'other images, for the drop', integerOption('--judged', 1), 2000)
    .option('--archs <list>', 'of networks made here', archsOption, ['mlp', 'convnet2', 'resnet8'])
    .option(
      '--teachers <n>',
      'of each architecture; eight networks are made of each',
      integerOption('--teachers', 1),
      3,
    )
    .option('--train-images <n>', 'that they learn from', integerOption('--train-images', 128), 20000)
    .option('--draws <n>', 'of each kind of noise', integerOption('--draws', 1), 4)
    .option('--seed <n>', 'of everything drawn', integerOption('--seed', 0), 0)
    .option('--only <policy>', 'study what was measured under this policy')
    .option('--fresh', 'measure everything anew')
    .action(studyCommand);
}
