// The verdict: may this network be quantized? From the figures alone, with the reasons in words and what to do.

import type { Figures, Level, PolicyFigures, Thresholds } from '../measure/figures.js';
import { type ProcessorFigures, REDUCED, SATURATING } from '../measure/variants.js';
import type { Remedy } from './remedies.js';
import type { Evidence } from './result.js';

interface Verdict {
  readonly verdict: Level;
  /** Which policies may be used, in a sentence. */
  readonly answer: string;
  readonly reasons: readonly string[];
  readonly advice: readonly string[];
}

const ORDER: readonly Level[] = ['safe', 'caution', 'unsafe'];

const worse = (a: Level, b: Level): Level => (ORDER.indexOf(a) >= ORDER.indexOf(b) ? a : b);

const number = (value: number) => value.toFixed(Math.abs(value) < 10 ? 2 : 1);

function unitOf({ dropType }: Thresholds): string {
  return dropType === 'relative' ? '% of the accuracy' : 'points';
}

/** `91.30 → 10.00 %: loses 81.30 points (95 % interval 79.1 … 83.2)` */
function lossOf(evidence: Evidence, { accuracy, agreement, drop, interval }: Figures): string {
  const { thresholds, fp, keeps } = evidence;
  const unit = unitOf(thresholds);
  const range = `${Math.round(100 * thresholds.confidence)} % interval ${number(interval[0])} … ${number(interval[1])}`;
  const from = fp.accuracy === undefined ? '' : `${number(fp.accuracy)} → ${number(accuracy ?? 0)} %, `;
  const how = fp.accuracy === undefined ? `${number(agreement)} % ${keeps}, ` : from;
  return `${how}a loss of ${number(drop)} ${unit} (${range})`;
}

/** About the number of samples that would decide whether the loss is below the threshold; undefined where none would. */
function samplesNeeded({ drop, interval }: Figures, samples: number, thresholds: Thresholds): number | undefined {
  const gap = Math.abs(thresholds.maxDrop - drop);
  const half = (interval[1] - interval[0]) / 2;
  // The interval shrinks with the root of the samples.
  return gap === 0 || half === 0 ? undefined : Number((samples * (half / gap) ** 2).toPrecision(2));
}

/** No advice beyond this many times the samples available: the loss is near the limit. */
const MANY = 20;

/** What is certain of a loss, and what is not. */
function judgement(evidence: Evidence, figures: PolicyFigures): string {
  const { thresholds, samples } = evidence;
  const { level, interval, drop } = figures;
  const limit = `${number(thresholds.maxDrop)} ${unitOf(thresholds)}`;
  if (level === 'safe') return `within ${limit}`;
  if (level === 'unsafe') return `catastrophic: more than ${number(thresholds.catastrophe)}`;
  if (interval[0] > thresholds.maxDrop) return `more than ${limit}`;
  const needed = samplesNeeded(figures, samples.judged, thresholds);
  const tell = needed === undefined || needed > MANY * samples.judged ? '' : `; about ${needed} would`;
  const side = drop > thresholds.maxDrop ? 'more' : 'less';
  return `${side} than ${limit}, but ${samples.judged} samples cannot say so for certain${tell}`;
}

/** How a policy is called in a sentence: those found say of what they are the worst or best. */
function called({ name, found, effectiveBits }: PolicyFigures): string {
  return found ? `${found} policy of ${number(effectiveBits ?? 0)} bits found, on the network as it is` : name;
}

function policyReasons(evidence: Evidence): string[] {
  return evidence.policies.map((figures) => {
    const loss = `${called(figures)}: ${lossOf(evidence, figures)}`;
    return figures.found === 'best' ? loss : `${loss}: ${judgement(evidence, figures)}`;
  });
}

function classReason(evidence: Evidence): string[] {
  const failing = evidence.policies.filter(({ level, worstClass }) => level !== 'safe' && worstClass);
  const [worst] = [...failing].sort((a, b) => loss(b) - loss(a));
  if (!worst?.worstClass) return [];
  const { label, fpAccuracy, accuracy, samples } = worst.worstClass;
  return [
    `at ${worst.name} class ${label} loses most: ${number(fpAccuracy)} → ${number(accuracy)} % of its ${samples} samples`,
  ];
}

function loss({ worstClass }: PolicyFigures): number {
  return worstClass ? worstClass.fpAccuracy - worstClass.accuracy : 0;
}

const repairs = (remedy: Remedy | undefined, { drop }: Figures) => remedy !== undefined && remedy.drop < drop / 2;

/** Samples with less than this part of the median margin are close calls. */
const CLOSE_CALL = 0.25;
/** Rescaling channels is the cause where it repairs as much as one more bit does, but for this part of the loss. */
const AS_MUCH = 0.1;

/** What kind of failure it is, by what undoes it and by the samples it takes. */
function causeOf(evidence: Evidence): string[] {
  const { subject, remedies, policies, thresholds } = evidence;
  const failing = policies.find(({ name }) => name === subject);
  if (!failing || failing.drop <= thresholds.maxDrop) return [];
  const byKind = (kind: Remedy['kind']) => remedies.find((remedy) => remedy.kind === kind);
  const [equalized, finer] = [byKind('equalize'), byKind('oneMoreBit')];
  // One more bit repairs much of any failure, and other scales round to other codes: the better of the two is the cause.
  const slack = Math.min(thresholds.maxDrop, AS_MUCH * failing.drop);
  if (equalized && repairs(equalized, failing) && equalized.drop <= (finer?.drop ?? equalized.drop) + slack) {
    return [
      `cause: ranges of channels. Rescaling channels, which leaves full precision as it is, brings ${subject} to a loss of ` +
        `${number(equalized.drop)}: weights and activations of very different size share a scale`,
    ];
  }
  const coarser = byKind('oneFewerBit');
  const repaired = finer && repairs(finer, failing) ? finer : undefined;
  if (repaired && coarser && coarser.drop < failing.drop - thresholds.maxDrop) {
    return [
      `cause: one rounding grid. With one more bit everywhere ${subject} loses ${number(repaired.drop)} only, and with one ` +
        `fewer ${number(coarser.drop)} instead of ${number(failing.drop)}: the weights lie where this very grid rounds them ` +
        'to another function, as learned failures do',
    ];
  }
  const { fp, flipped } = failing.margins ?? {};
  const close = fp !== undefined && flipped !== undefined && flipped <= CLOSE_CALL * fp.median;
  if (!repaired && !close) return [];
  const bits = repaired ? `With one more bit everywhere ${subject} loses ${number(repaired.drop)} only` : '';
  const fewer =
    repaired && coarser ? `, with one fewer ${number(coarser.drop)}: rounding noise, which grows as bits go` : '';
  const calls = close
    ? `Half of the samples that ${subject} changes were close calls: a margin below ${number(flipped)} in full precision, ` +
      `where the median is ${number(fp.median)}`
    : '';
  return [`cause: few bits. ${[bits + fewer, calls].filter((part) => part !== '').join('. ')}`];
}

const listed = (names: readonly string[]) =>
  names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;

/** Which policies may be used: those within the limit, those beyond it, and those of which it cannot be said. */
function answerOf({ policies, thresholds }: Evidence): string {
  const limit = `${number(thresholds.maxDrop)} ${unitOf(thresholds)}`;
  const groupOf = ({ level, interval }: PolicyFigures) =>
    level === 'caution' && interval[0] <= thresholds.maxDrop ? 'uncertain' : level;
  const said = {
    safe: [`loses at most ${limit}`, `lose at most ${limit}`],
    uncertain: [`may lose more than ${limit}`, `may lose more than ${limit}`],
    caution: [`loses more than ${limit}`, `lose more than ${limit}`],
    unsafe: ['fails catastrophically', 'fail catastrophically'],
  } as const;
  const examined = policies.filter(({ found }) => found !== 'best');
  const parts = (Object.keys(said) as (keyof typeof said)[]).flatMap((group) => {
    const names = examined.filter((each) => groupOf(each) === group).map(inAnswer);
    return names.length > 0 ? [`${listed(names)} ${said[group][names.length > 1 ? 1 : 0]}`] : [];
  });
  return parts.join('; ');
}

/** Granularity of ONNX Runtime's dynamic quantization where nothing else is asked for. */
const RUNTIME_DEFAULT = "ONNX Runtime's default (a weight scale a tensor, an activation range a batch)";

/** The policies under that default: those that are within the limit here and beyond it there, and whether any was measured. */
function underRuntimeDefault({ granularity, policies, thresholds }: Evidence) {
  const measured = granularity.filter(
    ({ weights, activations }) => weights === 'perTensor' && activations === 'perBatch',
  );
  const beyond = measured.filter(({ policy, drop }) => {
    const here = policies.find(({ name }) => name === policy);
    return here !== undefined && here.drop <= thresholds.maxDrop && drop > thresholds.maxDrop;
  });
  const losses = beyond.map(({ policy, drop }) => `${policy} loses ${number(drop)} ${unitOf(thresholds)}`);
  return { measured: measured.length > 0, losses };
}

const inAnswer = ({ name, found, effectiveBits }: PolicyFigures) =>
  found === 'worst' ? `the worst policy of ${number(effectiveBits ?? 0)} bits` : name;

/** Where scales shared more widely would lose much more than those of the policies. */
function granularityReasons({ granularity, thresholds }: Evidence): string[] {
  const entry = (policy: string, weights: string, activations: string) =>
    granularity.find((one) => one.policy === policy && one.weights === weights && one.activations === activations);
  return [...new Set(granularity.map(({ policy }) => policy))].flatMap((policy) => {
    const fine = entry(policy, 'perChannel', 'perSample');
    const tensor = entry(policy, 'perTensor', 'perSample');
    const batch = entry(policy, 'perChannel', 'perBatch');
    const worse = (coarse: typeof fine) => fine && coarse && coarse.drop - fine.drop > thresholds.maxDrop;
    return [
      ...(worse(tensor) ? [`with one weight scale a tensor ${policy} would lose ${number(tensor?.drop ?? 0)}`] : []),
      ...(worse(batch) ? [`with one activation range a batch ${policy} would lose ${number(batch?.drop ?? 0)}`] : []),
    ];
  });
}

/** Processors on which a policy loses more than the limit, and clearly more than here. */
function worseElsewhere({ processors, policies, thresholds }: Evidence): readonly ProcessorFigures[] {
  return processors.filter(({ policy, drop }) => {
    const here = policies.find(({ name }) => name === policy);
    if (!here || here.level === 'unsafe') return false; // that is said already
    return drop > thresholds.maxDrop && drop - here.drop > thresholds.maxDrop / 2;
  });
}

function processorReasons(evidence: Evidence): string[] {
  return worseElsewhere(evidence).map(
    ({ name, policy, drop }) => `on processors ${name}, ${policy} loses ${number(drop)} ${unitOf(evidence.thresholds)}`,
  );
}

function adviceFor(evidence: Evidence): string[] {
  const { remedies, subject, thresholds, processors, policies } = evidence;
  const failing = policies.find(({ name }) => name === subject);
  const advice: string[] = [];
  const safe = policies.filter(({ level, found }) => level === 'safe' && !found);
  const first = safe[safe.length - 1];
  if (failing && failing.drop > thresholds.maxDrop) {
    const useful = remedies.filter(
      ({ kind, drop }) =>
        kind !== 'oneFewerBit' && drop < failing.drop && (drop <= thresholds.maxDrop || drop < failing.drop / 2),
    );
    for (const { what, drop, level } of [...useful].sort((a, b) => a.drop - b.drop)) {
      const sure = level === 'safe' ? ', which is within the limit' : '';
      advice.push(`for ${subject}: ${what}: a loss of ${number(drop)} instead of ${number(failing.drop)}${sure}`);
    }
  }
  if (first && policies.some(({ level }) => level !== 'safe'))
    advice.push(`${first.name} is within the limit as it is`);
  const saturating = worseElsewhere(evidence).find(({ name }) => name === SATURATING);
  const reduced = processors.find(({ name }) => name === REDUCED);
  if (saturating && reduced && reduced.drop < saturating.drop / 2) {
    advice.push(`for processors without VNNI: reduced weight range, a loss of ${number(reduced.drop)}`);
  }
  return advice;
}

/** Why the samples cannot show that a network is safe, whatever it did on them. */
function doubtsOf({ samples, outputDoubt, fp, measure }: Evidence): string[] {
  const doubts: string[] = outputDoubt === undefined ? [] : [outputDoubt];
  if (samples.judged < LEAST_SAMPLES) {
    doubts.push(`judged on ${samples.judged} samples only: no network is called safe on so few`);
  }
  if (fp.classes !== undefined && fp.classes < 2) {
    doubts.push('full precision says one class of all samples: there is nothing that quantization could change');
  }
  if (fp.labels === 1) doubts.push('all samples have one label: other classes are not measured');
  if (measure === 'accuracy' && fp.interval[1] <= (fp.commonest ?? 0)) {
    doubts.push(
      `full precision is right on ${number(fp.accuracy ?? 0)} % of the samples, saying the commonest class of all would be on ` +
        `${number(fp.commonest ?? 0)} %: are labels and preprocessing those of the model?`,
    );
  }
  return doubts;
}

/**
 * `safe`: every policy examined, the worst one found among them, loses at most the limit, with confidence. `unsafe`: one
 * fails catastrophically, or the mildest loses more than the limit for certain. `caution`: neither, or the samples are
 * such that nothing can be said.
 */
export function verdictOf(evidence: Evidence): Verdict {
  const { policies, thresholds } = evidence;
  const examined = policies.filter(({ found }) => found !== 'best');
  let verdict = examined.reduce<Level>((level, figures) => worse(level, figures.level), 'safe');
  const mildest = [...examined].sort((a, b) => (b.effectiveBits ?? 0) - (a.effectiveBits ?? 0))[0];
  if (mildest && mildest.interval[0] > thresholds.maxDrop) verdict = 'unsafe';
  if (worseElsewhere(evidence).length > 0) verdict = worse(verdict, 'caution');
  const { measured, losses } = underRuntimeDefault(evidence);
  if (losses.length > 0) verdict = worse(verdict, 'caution');
  const { samples } = evidence;
  const reasons = [
    ...causeOf(evidence),
    ...policyReasons(evidence),
    ...classReason(evidence),
    ...granularityReasons(evidence),
    ...processorReasons(evidence),
  ];
  const doubts = doubtsOf(evidence);
  if (doubts.length > 0) verdict = worse(verdict, 'caution');
  reasons.push(...doubts);
  if (!samples.apart) reasons.push('too few samples to search on some and judge on others: all were used for both');
  const scope = `with a weight scale a channel and an activation range a sample${measured ? `, and by ${RUNTIME_DEFAULT}` : ''}`;
  const answer = [
    ...(losses.length > 0 ? [`by ${RUNTIME_DEFAULT} ${listed(losses)}`] : []),
    verdict === 'safe' ? `${answerOf(evidence)}, ${scope}` : answerOf(evidence),
  ].join('; ');
  return { verdict, answer, reasons, advice: adviceFor(evidence) };
}

/** An interval of paired differences can come out narrow by chance on fewer: no network is called safe on them. */
const LEAST_SAMPLES = 100;
