// What `mitigate` did: what is wrong with a network, one row for each cure, those that did not help included, and all
// that was kept, on the images that judge.
import { z } from 'zod';
import type { Judgements } from '../../assess/mitigate/judgement.js';
import { BRIGHTNESS, type MitigateResult } from '../../assess/mitigate/mitigate.js';
import { groupBy } from '../../core/group_by.js';
import { bullets, type Document, section } from '../document.js';
import { formatDuration, formatNumber } from '../format.js';
import { count, defineKind, percentage } from '../kind.js';
import { diagnosisSection, mitigationSection } from '../sections/stress.js';

/** Percent of the validation images that keep their class, by what they look like. */
const agreement = z.looseObject({ clean: percentage.optional(), brightPixel: percentage.optional() });
const judgement = z.looseObject({
  measure: z.enum(['accuracy', 'agreement']),
  images: count,
  fp: percentage,
  fpAfter: percentage,
  before: percentage,
  after: percentage,
});

const mitigateSchema = z.looseObject({
  schema: z.literal('faultline.mitigate/1'),
  model: z.string(),
  policy: z.string(),
  seed: count,
  diagnosis: z.looseObject({
    reasons: z.array(z.string()),
    brightPixel: z.looseObject({ quantized: percentage, fullPrecision: percentage }).optional(),
  }),
  cures: z.array(
    z.looseObject({
      cure: z.string(),
      what: z.string(),
      applied: z.boolean(),
      before: agreement,
      after: agreement,
      kept: z.boolean(),
      takenBack: z.boolean(),
      seconds: z.number(),
    }),
  ),
  /** Images that judge cures. */
  validation: count,
  judgements: z.looseObject({ clean: judgement, brightPixel: judgement }),
  seconds: z.number(),
});

type Mitigation = z.output<typeof mitigateSchema>;
type Cure = Mitigation['cures'][number];
type Judgement = z.output<typeof judgement>;

/** The result of the command: everything but the network and its policy, which are files. */
export function mitigateResult(
  names: { readonly model: string; readonly policy: string; readonly seed: number },
  { graph: _, policy: __, ...found }: MitigateResult,
  judgements: Judgements,
) {
  return { schema: 'faultline.mitigate/1', ...found, ...names, judgements } as const;
}

/** What a cure is judged on. */
const CLEAN = 'clean';
const BRIGHT = `one bright pixel ×${BRIGHTNESS}`;
const onBright = ({ cure }: Cure) => cure === 'range guard';

const percent = (value: number) => `${value.toFixed(1)} %`;
const images = (number: number) => `${formatNumber(number, 'count')} images`;

/** The gain of one cure, and where it was measured. */
function shares(one: Cure): readonly [number, number] {
  const pick = (share: Cure['before']) => (onBright(one) ? share.brightPixel : share.clean) ?? 0;
  return [pick(one.before), pick(one.after)];
}

/** `15.3 % → 91.5 % accuracy quantized, 91.5 % in full precision` */
function sentence({ before, after, fp, fpAfter, measure }: Judgement): string {
  const repaired = percent(fpAfter) === percent(fp) ? '' : ` (${percent(fpAfter)} repaired)`;
  return `${percent(before)} → ${percent(after)} ${measure} quantized, ${percent(fp)} in full precision${repaired}`;
}

const TAKEN_BACK = 'helped, replaced by a later cure';

/** Cures that were applied, one by one, then why the others were not, those of one reason together. */
function cureLines(cures: readonly Cure[]): string[] {
  const applied = cures.flatMap((one): string[] => {
    if (!one.applied) return [];
    const [before, after] = shares(one);
    const verdict = one.kept ? 'kept' : one.takenBack ? TAKEN_BACK : 'left out, no help for certain';
    const scene = onBright(one) ? ' under the bright pixel' : '';
    return [
      `${one.cure}: ${verdict}, ${percent(before)} → ${percent(after)} agree${scene}; ${one.what} (${one.seconds.toFixed(1)} s)`,
    ];
  });
  const others = groupBy(
    cures.filter((one) => !one.applied),
    ({ what }) => what,
  );
  const names = (alike: readonly Cure[]) => alike.map(({ cure }) => cure).join(', ');
  return [...applied, ...[...others].map(([reason, alike]) => `not applied: ${names(alike)} (${reason})`)];
}

/** Rows of single cures are agreements on validation images, the last two are those of the judgement. */
function rowsOf({ cures, diagnosis, judgements }: Mitigation) {
  const { clean, brightPixel } = judgements;
  const whole = (network: string, { fp, fpAfter, before, after, measure }: Judgement) => ({
    network: `${network}, ${measure}`,
    cure: 'all kept',
    ...{ fpAccuracy: fp, fpAfter, before, after },
  });
  const rows = cures.map((one) => {
    const [before, after] = shares(one);
    return {
      network: `${onBright(one) ? BRIGHT : CLEAN}, agreement`,
      cure: one.cure,
      fpAccuracy: onBright(one) ? (diagnosis.brightPixel?.fullPrecision ?? 100) : 100,
      ...{ before, after, kept: one.kept, applied: one.applied },
      what: one.takenBack ? `${one.what}; ${TAKEN_BACK}` : one.what,
    };
  });
  return [...rows, whole(CLEAN, clean), whole(BRIGHT, brightPixel)];
}

function mitigateDocument(result: Mitigation): Document {
  const { model, policy, diagnosis, cures, validation, judgements, seconds, seed } = result;
  const { clean, brightPixel } = judgements;
  const note =
    `On ${images(validation)} that no cure sees, without labels. Agree: keep the class that the model as it was says in ` +
    'full precision.';
  return {
    title: `Mitigation of ${model} under ${policy}`,
    lead: `On ${images(clean.images)}, ${CLEAN}: ${sentence(clean)}. Under ${BRIGHT}: ${sentence(brightPixel)}.`,
    facts: [],
    sections: [
      ...diagnosisSection({ diagnosis: { reasons: diagnosis.reasons, note } }, true),
      ...section('cures', 'Cures', bullets(cureLines(cures), true)),
      // The terminal shows cures as a list: what was done with each is a sentence.
      ...mitigationSection({ mitigation: rowsOf(result), diagnosis: { reasons: diagnosis.reasons } }, false),
    ],
    footer: `faultline · seed ${seed} · ${formatDuration(seconds)}`,
  };
}

export const kind = defineKind({ schema: 'faultline.mitigate/1', result: mitigateSchema, document: mitigateDocument });
