// When the networks of a reproduction break, whether full precision predicts it, and what repairs them: corruptions,
// indicators and mitigation, on a sample of the images, since each has a command that does it in full.

import { INDICATORS, type IndicatorName, shownIndicator } from '../assess/indicators/names.js';
import { predictDrop, termLabels } from '../assess/indicators/predictor.js';
import { PREDICTOR } from '../assess/indicators/shipped_predictor.js';
import { corruptionGrid } from '../assess/measure/corruption_grid.js';
import { type Judgement, judgeMitigated } from '../assess/mitigate/judgement.js';
import { mitigate } from '../assess/mitigate/mitigate.js';
import { imageSamples } from '../assess/samples.js';
import { scan } from '../assess/scan/scan.js';
import { type CorruptionRequest, corrupt, parseCorruptions } from '../data/corruptions.js';
import { firstImages } from '../data/image_set.js';
import { effectiveBits } from '../policy/effective_bits.js';
import { type Policy, uniformPolicy } from '../policy/policy.js';
import { formatNumber } from '../report/format.js';
import { pictureUrl } from '../report/picture.js';
import type { ReportInput } from '../report/schema.js';
import { InputPolicy } from '../search/input_policy.js';
import { inputPolicyFromJson } from '../search/input_policy_json.js';
import type { SeedContext } from './context.js';
import { percent } from './measure.js';
import { readNamedPolicy } from './stages.js';

type Grid = NonNullable<ReportInput['corruptions']>['grid'];
type Pictures = NonNullable<NonNullable<ReportInput['corruptions']>['pictures']>;
type Indicators = NonNullable<ReportInput['indicators']>;
type Mitigations = NonNullable<ReportInput['mitigation']>;

export interface StressPart {
  readonly images: number;
  readonly grid: Grid;
  readonly pictures: Pictures;
  readonly indicators: Indicators;
  readonly mitigation: Mitigations;
}

/** A network of the run, and what quantizes it. */
interface Subject {
  /** As the report calls it. */
  readonly name: string;
  /** Of its ONNX file in the run. */
  readonly file: string;
  readonly policyName: string;
  readonly policy: Policy | InputPolicy;
}

type StaticSubject = Subject & { readonly policy: Policy };
const isStatic = (subject: Subject): subject is StaticSubject => !(subject.policy instanceof InputPolicy);

const PICTURED_SEVERITY = 3;

/** Percent, as precise as everything else in the report. */
const rounded = (value: number) => percent(value / 100);

/** The ordinary network under the least bits first, then every network that was made. */
async function subjectsOf(context: SeedContext): Promise<Subject[]> {
  const { settings, seed } = context;
  const { seeds, budget, staticChoices, gaugeBits } = settings;
  const named = (name: string) => (seeds.length > 1 ? `${name}, seed ${seed}` : name);
  const bits = (value: number) => `${formatNumber(value, 'bits')} bits`;
  const [least = gaugeBits] = staticChoices;
  const teacher = await context.network('teacher');
  const subjects: Subject[] = [
    { name: named('ordinary'), file: 'teacher', policyName: least, policy: uniformPolicy(teacher, least) },
  ];
  for (const { objective, policy: kind } of settings.pairs) {
    const file = `${objective}-${kind}`;
    const name = named(`${objective}, ${kind}`);
    if (kind === 'static') {
      const policy = await readNamedPolicy(context, file);
      const policyName = bits(effectiveBits(await context.network(file), policy));
      subjects.push({ name, file, policyName, policy });
    } else {
      const json: unknown = JSON.parse((await context.run.read(context.named(`${file}.json`))).toString());
      const policy = inputPolicyFromJson(await context.network(file), json);
      subjects.push({ name, file, policyName: `${bits(budget)} by input`, policy });
    }
  }
  if (settings.gauge) {
    const policy = uniformPolicy(await context.network('gauge'), gaugeBits);
    subjects.push({ name: named('gauge'), file: 'gauge', policyName: gaugeBits, policy });
  }
  return subjects;
}

/** Every network under a static policy, under the same corrupted test images. */
async function corruptionStage(context: SeedContext, subjects: readonly Subject[], severities: readonly number[]) {
  const { settings, material, seed, signal } = context;
  const images = settings.stress?.images ?? 0;
  return context.stage('corruptions', async () => {
    const kinds = parseCorruptions('all,range');
    const corruptions = kinds.map(
      ({ name, levels }): CorruptionRequest => ({
        name,
        levels: levels.filter((level) => typeof level === 'number' && severities.includes(level)),
      }),
    );
    const progress = context.progress('corruptions');
    const tested = subjects.filter(isStatic);
    const grid: Grid = [];
    for (const [i, { name, file, policyName, policy }] of tested.entries()) {
      const { conditions } = await corruptionGrid(await context.network(file), material.test, material.normalization, {
        policies: [{ name: policyName, policy }],
        corruptions,
        count: images,
        seed,
        signal,
        onProgress: (done, total) => progress(i + done / total, tested.length),
      });
      for (const { corruption = '', family, level, fpAccuracy, policies } of conditions) {
        for (const { policy: policyLabel, accuracy, drop, dropInterval } of policies) {
          grid.push({
            ...{ corruption, family, severity: Number(level), policy: policyLabel, network: name },
            ...{ fpAccuracy: percent(fpAccuracy), quantizedAccuracy: percent(accuracy), drop: percent(drop) },
            interval: [percent(dropInterval[0]), percent(dropInterval[1])],
          });
        }
      }
    }
    const pictures: Pictures = [];
    for (const [i, { name }] of kinds.entries()) {
      const one = firstImages(material.test, i + 1);
      const shown = await corrupt(one, name, PICTURED_SEVERITY, {
        seed,
        normalization: material.normalization,
        signal,
      });
      pictures.push({ corruption: name, severity: PICTURED_SEVERITY, picture: pictureUrl(shown, i) });
    }
    return { grid, pictures };
  });
}

/** Of every network under a static policy, from held-out images without labels; nothing is quantized. */
async function indicatorStage(context: SeedContext, subjects: readonly Subject[]): Promise<Indicators> {
  const { settings, material, seed, signal } = context;
  return context.stage('indicators', async () => {
    const scanned = subjects.filter(isStatic);
    const progress = context.progress('indicators');
    const values = new Map<IndicatorName, Record<string, number>>();
    const expected: Record<string, number> = {};
    for (const [i, { name, file, policyName, policy }] of scanned.entries()) {
      const graph = await context.network(file);
      const count = settings.stress?.scanned;
      const samples = imageSamples(graph, material.validation, material.normalization, { count, seed });
      const onProgress = (done: number, total: number) => progress(i + done / total, scanned.length);
      const { indicators } = await scan(graph, samples, { policy, seed, layerFlips: false, signal, onProgress });
      expected[`${name}, ${policyName}`] = predictDrop(PREDICTOR, indicators).drop;
      for (const [indicator, value] of Object.entries(indicators) as [IndicatorName, number][]) {
        const byName = values.get(indicator) ?? {};
        if (Number.isFinite(value)) byName[`${name}, ${policyName}`] = shownIndicator(indicator, value).value;
        values.set(indicator, byName);
      }
    }
    const predicted = { indicator: 'drop predicted, points', values: expected, note: `from ${termLabels(PREDICTOR)}` };
    const rows = [...values].map(([indicator, byNetwork]) => {
      const { worse, classical } = INDICATORS[indicator];
      const notes = [...(worse === 'less' ? ['less is worse'] : []), ...(classical ? ['classical'] : [])];
      return { indicator: shownIndicator(indicator, 0).label, values: byNetwork, note: notes.join(', ') };
    });
    return [predicted, ...rows];
  });
}

/** Every network, mitigated with held-out images without labels and judged on test images. */
async function mitigationStage(context: SeedContext, subjects: readonly Subject[]): Promise<Mitigations> {
  const { settings, material, seed, signal } = context;
  const { normalization, validation, test } = material;
  const steps = settings.stress?.trainingSteps;
  const rows: Mitigations = [];
  for (const [i, { name, file, policyName, policy }] of subjects.entries()) {
    const progress = context.progress('mitigation');
    const stageRows = await context.stage(`mitigation-${file}`, async () => {
      const graph = await context.network(file);
      const mitigated = await mitigate(graph, validation, normalization, {
        ...{ policy, steps, seed, signal },
        onProgress: ({ done, total }) => progress(i + done / total, subjects.length),
      });
      const judgements = await judgeMitigated({ graph, policy }, mitigated, test, normalization, { seed, signal });
      const { cures } = mitigated;
      const none = cures.some(({ applied }) => applied) ? 'none helped' : 'none needed';
      const kept = cures.filter((cure) => cure.kept).map(({ cure }) => cure);
      const row = (scene: string, { fp, before, after }: Judgement, names: readonly string[]) => ({
        ...{ network: name, scene, policy: policyName, cure: names.length > 0 ? names.join(', ') : none },
        ...{ fpAccuracy: rounded(fp), before: rounded(before), after: rounded(after), kept: names.length > 0 },
      });
      const onClean = kept.filter((cure) => cure !== 'range guard');
      return [row('clean', judgements.clean, onClean), row('one bright pixel', judgements.brightPixel, kept)];
    });
    rows.push(...stageRows);
  }
  return rows;
}

/** Undefined where the settings have none. */
export async function stressStages(context: SeedContext): Promise<StressPart | undefined> {
  const { stress } = context.settings;
  if (!stress) return undefined;
  const subjects = await subjectsOf(context);
  const { grid, pictures } = await corruptionStage(context, subjects, stress.severities);
  const indicators = await indicatorStage(context, subjects);
  const mitigation = await mitigationStage(context, subjects);
  return { images: Math.min(stress.images, context.material.test.count), grid, pictures, indicators, mitigation };
}
