// `faultline mitigate` as a report: what is wrong, one row for each cure, before and after, those that did not help included,
// and one for all that was kept, on the images that judge.
import type { Judgement, Judgements } from '../assess/mitigate/judgement.js';
import type { CureName, CureResult, MitigateResult } from '../assess/mitigate/mitigate.js';
import { BRIGHTNESS } from '../assess/mitigate/mitigate.js';
import { formatNumber } from './format.js';
import type { ReportInput } from './schema.js';
import { wrapText } from './text.js';

export interface MitigateReportParts {
  readonly model: string;
  readonly policy: string;
  readonly result: MitigateResult;
  readonly judgements: Judgements;
}

/** What a cure is judged on. */
const CLEAN = 'clean';
const BRIGHT = `one bright pixel ×${BRIGHTNESS}`;
const onBright = (cure: CureName) => cure === 'range guard';

const percent = (value: number) => `${value.toFixed(1)} %`;
const images = (count: number) => `${formatNumber(count, 'count')} images`;

/** What one cure won and at what it was judged. */
function shares({ cure, before, after }: CureResult): readonly [number, number] {
  const pick = (share: CureResult['before']) => (onBright(cure) ? share.brightPixel : share.clean) ?? 0;
  return [pick(before), pick(after)];
}

/** `15.3 % → 91.5 % accuracy quantized, 91.5 % in full precision` */
function sentence({ before, after, fp, fpAfter, measure }: Judgement): string {
  const repaired = percent(fpAfter) === percent(fp) ? '' : ` (${percent(fpAfter)} repaired)`;
  return `${percent(before)} → ${percent(after)} ${measure} quantized, ${percent(fp)} in full precision${repaired}`;
}

const TAKEN_BACK = 'helped, taken back for what came after';

/** Cures that were applied, one by one, then why the others were not, those of one reason together. */
function cureLines(cures: readonly CureResult[]): string[] {
  const applied = cures.flatMap((one): string[] => {
    if (!one.applied) return [];
    const [before, after] = shares(one);
    const verdict = one.kept ? 'kept' : one.takenBack ? TAKEN_BACK : 'left out, no help for certain';
    const scene = onBright(one.cure) ? ' under the bright pixel' : '';
    return [
      `${one.cure}: ${verdict}, ${percent(before)} → ${percent(after)} agree${scene}; ${one.what} (${one.seconds.toFixed(1)} s)`,
    ];
  });
  const reasons = new Map<string, string[]>();
  for (const { cure, applied: was, what } of cures) if (!was) reasons.set(what, [...(reasons.get(what) ?? []), cure]);
  return [...applied, ...[...reasons].map(([reason, names]) => `not applied: ${names.join(', ')} (${reason})`)];
}

const AGREE = 'agree: keep the class that the model as given says in full precision';

/** For a terminal of 80 columns: what came of it, what was wrong, what each cure did. */
export function mitigateText({ model, policy, result, judgements }: MitigateReportParts): string {
  const { clean, brightPixel } = judgements;
  const item = (text: string) => wrapText(`- ${text}`, '  ');
  return [
    ...wrapText(`${model} under ${policy}, on ${images(clean.images)}`),
    ...item(`${CLEAN}: ${sentence(clean)}`),
    ...item(`${BRIGHT}: ${sentence(brightPixel)}`),
    '',
    `what is wrong, on ${images(result.validation)} that no cure sees`,
    ...result.diagnosis.reasons.flatMap(item),
    '',
    ...wrapText(`cures, judged on these (${AGREE})`),
    ...cureLines(result.cures).flatMap(item),
    '',
  ].join('\n');
}

/** A faultline.report/1: rows of single cures are agreements on validation images, the last two those of the judgement. */
export function mitigateReport({ model, policy, result, judgements }: MitigateReportParts): ReportInput {
  const { clean, brightPixel } = judgements;
  const rows = result.cures.map((one) => {
    const bright = onBright(one.cure);
    const [before, after] = shares(one);
    return {
      network: `${bright ? BRIGHT : CLEAN}, agreement`,
      cure: one.cure,
      fpAccuracy: bright ? (result.diagnosis.brightPixel?.fullPrecision ?? 100) : 100,
      before,
      after,
      kept: one.kept,
      applied: one.applied,
      what: one.takenBack ? `${one.what}; ${TAKEN_BACK}` : one.what,
      seconds: one.seconds,
    };
  });
  const whole = (network: string, { fp, fpAfter, before, after, measure }: Judgement) => ({
    network: `${network}, ${measure}`,
    cure: 'all kept',
    ...{ fpAccuracy: fp, fpAfter, before, after },
  });
  return {
    schema: 'faultline.report/1',
    title: `Mitigation of ${model} under ${policy}`,
    summary: `On ${images(clean.images)}: ${sentence(clean)}. Under ${BRIGHT}: ${sentence(brightPixel)}.`,
    mitigation: [...rows, whole(CLEAN, clean), whole(BRIGHT, brightPixel)],
    diagnosis: {
      ...result.diagnosis,
      reasons: [...result.diagnosis.reasons],
      note: `This and each cure is judged on ${images(result.validation)} that no cure sees, without labels (${AGREE}).`,
    },
    totalSeconds: result.seconds,
  };
}
