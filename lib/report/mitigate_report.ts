// `faultline mitigate` as a report: one row for each cure, before and after, those that did not help included, and one for
// all that was kept, on the images that judge.
import type { Judgement, Judgements } from '../assess/mitigate/judgement.js';
import type { CureResult, MitigateResult } from '../assess/mitigate/mitigate.js';
import type { ReportInput } from './schema.js';

export interface MitigateReportParts {
  readonly model: string;
  readonly policy: string;
  readonly result: MitigateResult;
  readonly judgements: Judgements;
}

const percent = (value: number) => `${value.toFixed(1)} %`;

function outcome({ applied, kept, what, seconds }: CureResult): string {
  if (!applied) return `not applied: ${what}`;
  return `${kept ? 'kept' : 'did not help, left out'}: ${what} (${seconds.toFixed(1)} s)`;
}

function sentence(what: string, { before, after, fp, fpAfter, measure, images }: Judgement): string {
  return (
    `${what}: ${percent(before)} → ${percent(after)} ${measure} quantized on ${images} images, where full precision has ` +
    `${percent(fp)}${fpAfter === fp ? '' : ` (mended ${percent(fpAfter)})`}.`
  );
}

/** Sentences for a person: what is wrong, what was done, what came of it. */
export function mitigateLines({ result, judgements }: MitigateReportParts): string[] {
  return [
    ...result.diagnosis.reasons,
    ...result.cures.map((cure) => `${cure.cure}: ${outcome(cure)}`),
    sentence('clean', judgements.clean),
    sentence('one bright pixel', judgements.brightPixel),
  ];
}

/** A faultline.report/1: rows of single cures are agreements on validation images, the last two those of the judgement. */
export function mitigateReport(parts: MitigateReportParts): ReportInput {
  const { model, policy, result } = parts;
  const { clean, brightPixel } = parts.judgements;
  const rows = result.cures.map((cure) => {
    const bright = cure.cure === 'range guard';
    const pick = (share: CureResult['before']) => (bright ? share.brightPixel : share.clean) ?? 0;
    return {
      network: bright ? 'one bright pixel, agreement' : 'clean, agreement',
      cure: cure.cure,
      policy,
      fpAccuracy: bright ? (result.diagnosis.brightPixel?.fullPrecision ?? 100) : 100,
      before: pick(cure.before),
      after: pick(cure.after),
      kept: cure.kept,
      applied: cure.applied,
      what: cure.what,
      seconds: cure.seconds,
    };
  });
  const whole = (network: string, { fp, fpAfter, before, after, measure }: Judgement) => ({
    network: `${network}, ${measure}`,
    cure: 'all kept',
    policy,
    ...{ fpAccuracy: fp, fpAfter, before, after },
  });
  const advice = mitigateLines(parts).slice(0, -2);
  return {
    schema: 'faultline.report/1',
    title: `Mitigation of ${model} under ${policy}`,
    summary: `${sentence('Clean images', clean)} ${sentence('Under one bright pixel', brightPixel)}`,
    mitigation: [...rows, whole('clean', clean), whole('one bright pixel', brightPixel)],
    diagnosis: result.diagnosis,
    account: advice,
    totalSeconds: result.seconds,
  };
}
