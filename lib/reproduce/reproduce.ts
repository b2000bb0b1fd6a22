// The paper's experiment from end to end: a teacher, detrimental and robust pairs of network and policy, the gauge
// attack, the search beside its baselines, and one report. Killed at any moment and started again it ends with the same
// figures.

import { InvalidArgumentError } from '../core/errors.js';
import { modelDigest } from '../graph/onnx/codec.js';
import { loadModel } from '../graph/onnx/import.js';
import { buildModel } from '../models/index.js';
import { inspect } from '../native/inspect.js';
import { threads } from '../native/threads.js';
import { BudgetSpace } from '../policy/budget.js';
import type { GaugeResult, Landscape, PairResult, Report, ReportInput, SearchResult } from '../report/schema.js';
import { writeReport } from '../report/write.js';
import { RunDirectory } from '../run/run_directory.js';
import { agentNamed } from '../search/agents/index.js';
import { checkStealthPolicy } from '../train/stealth.js';
import { checkedInput } from '../train/steps.js';
import { attackStage, namedPolicy } from './attack_stage.js';
import { type OnProgress, SeedContext } from './context.js';
import { inputPairStage } from './input_stage.js';
import { loadMaterial, type Material } from './material.js';
import { inputBudget, type PairSetting, type ReproduceSettings, settingsFor, staticBudget } from './settings.js';
import { gaugeStage, searchStage, staticPairStage, type TeacherPart, teacherStage } from './stages.js';
import { ASSUMPTIONS, references } from './story.js';
import { type StressPart, stressStages } from './stress_stage.js';

/** Options and progress. */
interface ExperimentOptions {
  readonly settings?: Partial<ReproduceSettings> | undefined;
  /** As it was typed, for the report. */
  readonly command?: string | undefined;
  /** Folder of the data set's files. */
  readonly dataDir?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress | undefined;
}

interface ReproduceOptions extends ExperimentOptions {
  /** The run: networks, policies, report. Continued when it is there already, with the same settings. */
  readonly out: string;
  /** Starts over. Default false. */
  readonly fresh?: boolean | undefined;
}

interface Parts {
  readonly pairs: PairResult[];
  readonly gauge: GaugeResult[];
  readonly search: SearchResult[];
  readonly landscapes: Landscape[];
}

/** What was found of each seed's networks under stress, seeds after one another. */
function stressOf(parts: readonly StressPart[]): Pick<ReportInput, 'corruptions' | 'indicators' | 'mitigation'> {
  const [first] = parts;
  if (!first) return {};
  return {
    corruptions: { images: first.images, grid: parts.flatMap(({ grid }) => grid), pictures: first.pictures },
    indicators: first.indicators.map((row, i) => ({
      ...row,
      values: Object.assign({}, ...parts.map(({ indicators }) => indicators[i]?.values)),
    })),
    mitigation: parts.flatMap(({ mitigation }) => mitigation),
  };
}

/** Throws before any work on settings that cannot be met, data that is not there, or a directory of another run. */
export async function reproduce(options: ReproduceOptions): Promise<Report> {
  const { out, command = 'reproduce()', fresh } = options;
  let run: RunDirectory | undefined;
  const openRun = async (configuration: unknown) => {
    run = await RunDirectory.open(out, { command, configuration, fresh });
    return run;
  };
  try {
    return await writeReport(out, await reproduceIn(openRun, options));
  } finally {
    run?.close();
  }
}

/** The same in a run that the caller opens, with what decides the results, closes, and writes the report to. */
export async function reproduceIn(
  openRun: (configuration: unknown) => Promise<RunDirectory>,
  options: ExperimentOptions,
): Promise<ReportInput> {
  const { command = 'reproduce()', dataDir, signal, onProgress } = options;
  const settings = settingsFor(options.settings);
  if (settings.seeds.length === 0) throw new InvalidArgumentError('reproduce', 'seeds', 'one or more', 'none');
  for (const name of [settings.agent, ...settings.agents]) agentNamed(name);
  const load = dataDir === undefined ? {} : { from: dataDir };
  const materialFor = (seed: number) => loadMaterial(settings.data, { validation: settings.validation, seed, ...load });
  let material = await materialFor(settings.seeds[0] as number);
  await checkSettings(settings, material);
  const teacherHash = settings.teacherModel && (await modelDigest(settings.teacherModel));
  const configuration = {
    command: 'reproduce',
    ...settings,
    teacherHash,
    threads: threads(),
    isa: inspect().isa.chosen,
  };
  const run = await openRun(configuration);
  const teachers: TeacherPart[] = [];
  const parts: Parts = { pairs: [], gauge: [], search: [], landscapes: [] };
  const stressed: StressPart[] = [];
  for (const seed of settings.seeds) {
    if (seed !== settings.seeds[0]) material = await materialFor(seed);
    const context = new SeedContext(run, settings, material, seed, signal, onProgress);
    teachers.push(await reproduceSeed(context, parts));
    const stress = await stressStages(context);
    if (stress) stressed.push(stress);
  }
  const [teacher] = teachers as [TeacherPart];
  const accuracy = teachers.reduce((sum, each) => sum + each.accuracy, 0) / teachers.length;
  const { validation, train, test } = material;
  return {
    schema: 'faultline.report/1',
    title: 'Failure under dynamic quantization',
    teacher: teachers.length === 1 ? teacher : { accuracy, arch: settings.arch, images: test.count },
    ...parts,
    ...stressOf(stressed),
    references: references(parts.pairs),
    assumptions: [...ASSUMPTIONS],
    provenance: provenance(command, run, settings, {
      train: train.count,
      validation: validation.count,
      test: test.count,
    }),
    totalSeconds: [...run.seconds.values()].reduce((sum, seconds) => sum + seconds, 0),
  };
}

/** Throws InvalidArgumentError unless the network has policies of the requested budgets. */
async function checkSettings(settings: ReproduceSettings, { train, classNames }: Material): Promise<void> {
  const { channels, height, width } = train;
  const { pairs, search, teacherModel } = settings;
  const asked = (policy: PairSetting['policy']) => pairs.some((pair) => pair.policy === policy);
  const graph = teacherModel
    ? (await loadModel(teacherModel)).graph
    : buildModel(settings.arch, { input: [channels, height, width], classes: classNames.length });
  checkedInput('reproduce', graph, train);
  for (const { kind, policy: name } of settings.attacks) {
    const policy = namedPolicy(graph, name);
    if (kind === 'stealth') checkStealthPolicy(policy);
  }
  if (settings.gauge) namedPolicy(graph, settings.gaugeBits);
  if (asked('static')) new BudgetSpace(graph, staticBudget(settings));
  if (asked('input')) new BudgetSpace(graph, inputBudget(settings));
  const attacked = pairs.some(({ objective, policy }) => objective === 'detrimental' && policy === 'static');
  if (search && !attacked) {
    throw new InvalidArgumentError('reproduce', 'search', 'a detrimental static pair to search', 'none');
  }
}

async function reproduceSeed(context: SeedContext, parts: Parts): Promise<TeacherPart> {
  const { settings } = context;
  const teacher = await teacherStage(context);
  for (const { objective, policy } of settings.pairs) {
    const learn = policy === 'static' ? staticPairStage : inputPairStage;
    parts.pairs.push(await learn(context, objective, teacher.accuracy));
  }
  for (const attack of settings.attacks) {
    const { pair, landscape } = await attackStage(context, attack, teacher.accuracy);
    parts.pairs.push(pair);
    if (landscape) parts.landscapes.push(landscape);
  }
  if (settings.gauge) parts.gauge.push(await gaugeStage(context, teacher.accuracy));
  if (settings.search) {
    const { search, landscape } = await searchStage(context);
    parts.search.push(...search);
    parts.landscapes.push(landscape);
  }
  return teacher;
}

function provenance(
  command: string,
  run: RunDirectory,
  settings: ReproduceSettings,
  images: Record<string, number>,
): ReportInput['provenance'] {
  const { faultline, node, cpu, isa, onednn } = inspect();
  const { data, seeds, ...others } = settings;
  return {
    command,
    versions: { faultline: faultline.version, node: node.version, ...(onednn === undefined ? {} : { oneDNN: onednn }) },
    cpu: cpu.model,
    isa: isa.chosen,
    threads: threads(),
    seeds: [...seeds],
    data,
    images,
    settings: { ...others },
    stages: [...run.seconds].map(([name, seconds]) => ({ name, seconds })),
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
  };
}
