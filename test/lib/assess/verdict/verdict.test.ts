// The verdict from figures alone: its level, the policies that it names, doubts about the samples, the samples needed.
import assert from 'node:assert/strict';
import { DEFAULT_THRESHOLDS, type PolicyFigures } from '../../../../lib/assess/measure/figures.js';
import { SATURATING } from '../../../../lib/assess/measure/variants.js';
import type { Evidence } from '../../../../lib/assess/verdict/result.js';
import { verdictOf } from '../../../../lib/assess/verdict/verdict.js';

const MARGINS = { fp: { low: 1, median: 4 }, quantized: { low: 1, median: 4 }, flipped: undefined };

function policy(name: string, effectiveBits: number, drop: number, half = 0.2): PolicyFigures {
  const interval = [drop - half, drop + half] as const;
  return {
    ...{ name, effectiveBits, drop, interval, accuracy: 90 - drop, agreement: 100 - drop, pValue: 1, flips: 0 },
    ...{ newlyWrong: 0, newlyRight: 0, worstClass: undefined, margins: MARGINS },
    level: interval[1] <= 1 ? 'safe' : interval[0] > 10 ? 'unsafe' : 'caution',
    policy: {} as PolicyFigures['policy'],
  };
}

const evidence = (policies: readonly PolicyFigures[], more: Partial<Evidence> = {}): Evidence => ({
  schema: 'faultline.assess/2',
  ...{ task: 'classification', measured: 'accuracy', keeps: 'keep their class' },
  ...{ model: 'm', measure: 'accuracy', thresholds: DEFAULT_THRESHOLDS, policies, subject: policies.at(-1)?.name },
  samples: { all: 1000, searched: 200, judged: 800, apart: true },
  ...{
    leftInFloat: [],
    outputDoubt: undefined,
    fp: { accuracy: 90, interval: [88, 92], classes: 10, labels: 10, commonest: 12 },
  },
  ...{ predicted: [], search: undefined, sensitivity: [], remedies: [], profile: [], granularity: [], processors: [] },
  ...{ skipped: [], estimate: { secondsPerRun: 1, stages: [], seconds: 1 }, seconds: {} },
  ...more,
});

describe('verdict', () => {
  it('safe where every policy is, unsafe where one fails catastrophically or the mildest loses for certain', () => {
    const levels: [PolicyFigures[], string][] = [
      [[policy('W8A8', 8, 0), policy('W4A4', 4, 0.5)], 'safe'],
      [[policy('W8A8', 8, 0), policy('W4A4', 4, 5)], 'caution'],
      [[policy('W8A8', 8, 0), policy('W4A4', 4, 40)], 'unsafe'],
      [[policy('W8A8', 8, 3), policy('W4A4', 4, 3)], 'unsafe'],
    ];
    for (const [policies, level] of levels) assert.equal(verdictOf(evidence(policies)).verdict, level);
  });

  it('the best policy found condemns nothing', () => {
    const best = { ...policy('best found', 6, 50), found: 'best' as const };
    assert.equal(verdictOf(evidence([policy('W8A8', 8, 0), best])).verdict, 'safe');
  });

  it('answers which policies may be used', () => {
    const policies = [policy('W8A8', 8, 0), policy('W4A8', 6, 0.9), policy('W4A4', 4, 5), policy('W2A2', 2, 60)];
    assert.equal(
      verdictOf(evidence(policies)).answer,
      'W8A8 loses at most 1.00 points; W4A8 may lose more than 1.00 points; W4A4 loses more than 1.00 points; ' +
        'W2A2 fails catastrophically',
    );
  });

  it('nothing is safe on few samples, one class, or logits that are none', () => {
    const fine = [policy('W8A8', 8, 0)];
    const doubtful: [Partial<Evidence>, RegExp][] = [
      [{ samples: { all: 99, searched: 0, judged: 99, apart: true } }, /judged on 99 samples only/],
      [{ fp: { accuracy: 90, interval: [88, 92], classes: 1, labels: 10, commonest: 12 } }, /says one class/],
      [{ fp: { accuracy: 11, interval: [9, 12], classes: 9, labels: 10, commonest: 12 } }, /labels and preprocessing/],
      [{ outputDoubt: 'the output is a map' }, /the output is a map/],
    ];
    for (const [more, reason] of doubtful) {
      const { verdict, reasons } = verdictOf(evidence(fine, more));
      assert.equal(verdict, 'caution');
      assert.match(reasons.join('\n'), reason);
    }
  });

  it('safe says for what; beyond the limit by the default of ONNX Runtime is said first, and not safe', () => {
    const by = (drop: number) => {
      const figures = { ...policy('W8A8', 8, drop), policy: 'W8A8', samples: 800 };
      const granularity = [{ ...figures, weights: 'perTensor', activations: 'perBatch' } as const];
      return verdictOf(evidence([policy('W8A8', 8, 0)], { granularity }));
    };
    const [fine, worse] = [by(0.2), by(30)];
    assert.equal(fine.verdict, 'safe');
    assert.match(
      fine.answer,
      /a weight scale a channel and an activation range a sample, and by ONNX Runtime's default/,
    );
    assert.equal(worse.verdict, 'caution');
    assert.match(
      worse.answer,
      /^by ONNX Runtime's default \(a weight scale a tensor.*\) W8A8 loses 30\.0 points; W8A8 loses at/,
    );
    assert.match(verdictOf(evidence([policy('W8A8', 8, 0)])).answer, /an activation range a sample$/);
  });

  it('a loss on other processors is a caution', () => {
    const processors = [{ ...policy('W8A8', 8, 30), name: SATURATING, policy: 'W8A8', samples: 800 }];
    const { verdict, reasons } = verdictOf(evidence([policy('W8A8', 8, 0)], { processors }));
    assert.equal(verdict, 'caution');
    assert.match(reasons.join('\n'), /on processors without VNNI.*W8A8 loses 30\.0 points/);
  });

  it('says how many samples would tell: with the square of interval over distance to the limit', () => {
    const [reason] = verdictOf(evidence([policy('W8A8', 8, 0.5, 1)])).reasons;
    assert.match(reason ?? '', /less than 1\.00 points, but 800 samples cannot say so for certain; about 3200 would$/);
    const [none] = verdictOf(evidence([policy('W8A8', 8, 1, 1)])).reasons;
    assert.match(none ?? '', /for certain$/);
  });
});
