// What an assessment finds: schema faultline.assess/2. Percent and points on a scale of 100.

import type { FloatNode } from '../../graph/left_in_float.js';
import type { Interval } from '../../statistics/shares.js';
import type { Measure } from '../../tasks/task.js';
import type { Prediction } from '../indicators/predictor.js';
import type { Level, PolicyFigures, Thresholds } from '../measure/figures.js';
import type { NodeSensitivity } from '../measure/sensitivity.js';
import type { GranularityFigures, ProcessorFigures } from '../measure/variants.js';
import type { CostEstimate } from './estimate.js';
import type { PolicySearch } from './policy_search.js';
import type { Remedy } from './remedies.js';

/** What full precision alone predicted of a policy, beside what was measured. */
export interface PolicyPrediction extends Prediction {
  readonly policy: string;
  /** Points lost, measured. */
  readonly measured: number;
}

/** One layer of the subject's error profile; see `faultline profile` for everything. */
export interface LayerError {
  readonly node: string;
  /** The layer alone quantized, and with all before it; null where there is no error. */
  readonly aloneSqnrDb: number | null;
  readonly sqnrDb: number | null;
  readonly mse: number;
  readonly cosine: number;
  readonly maxAbsError: number;
  /** The part of the error here that the inputs brought: 0–1. */
  readonly propagatedShare: number;
  /** Largest over smallest range of a sample. */
  readonly spread: number | undefined;
  /** Outlier input channels. */
  readonly outliers: number;
}

/** Everything an assessment measured. */
export interface Evidence {
  readonly schema: 'faultline.assess/2';
  readonly model: string;
  readonly measure: Measure;
  /** Name of the task, what it calls the measure, and what samples do that lose nothing. */
  readonly task: string;
  readonly measured: string;
  readonly keeps: string;
  readonly thresholds: Thresholds;
  readonly samples: {
    /** Given. */
    readonly all: number;
    /** Policies were searched, and remedies chosen, on these. */
    readonly searched: number;
    /** Every figure is of these, where it does not say otherwise. */
    readonly judged: number;
    /** Whether the two have no sample in common. */
    readonly apart: boolean;
  };
  /** Why the network's output may be no answer of the task, in a sentence; undefined where nothing speaks against it. */
  readonly outputDoubt: string | undefined;
  /** Nodes with weights that no policy gives bits. */
  readonly leftInFloat: readonly FloatNode[];
  /** `accuracy` with labels, else `agreement` (with itself: 100). */
  readonly fp: {
    readonly accuracy?: number;
    readonly agreement?: number;
    readonly interval: Interval;
    /** Different classes that full precision says of the samples, and that labels have. */
    readonly classes?: number;
    readonly labels?: number;
    /** Percent of the samples with the commonest label. */
    readonly commonest?: number;
  };
  /** Uniform ones, then `worst found` and `best found` of the budget. All on the network as it is. */
  readonly policies: readonly PolicyFigures[];
  /** Of uniform policies, from an indicator that looks at full precision alone; no part of the verdict. */
  readonly predicted: readonly PolicyPrediction[];
  readonly search: PolicySearch | undefined;
  /** The policy that sensitivity and remedies are of: the mildest that fails, else the one of fewest bits. */
  readonly subject: string | undefined;
  readonly sensitivity: readonly NodeSensitivity[];
  readonly remedies: readonly Remedy[];
  /** Of the subject, on a few samples. */
  readonly profile: readonly LayerError[];
  readonly granularity: readonly GranularityFigures[];
  readonly processors: readonly ProcessorFigures[];
  /** Stages that did not run, or not to their end, and why. */
  readonly skipped: readonly { readonly stage: string; readonly why: string }[];
  readonly estimate: CostEstimate;
  /** By stage. */
  readonly seconds: Readonly<Record<string, number>>;
}

/** An assessment: the evidence, and what it says. */
export interface AssessResult extends Evidence {
  readonly verdict: Level;
  /** Which policies may be used, in a sentence. */
  readonly answer: string;
  readonly reasons: readonly string[];
  readonly advice: readonly string[];
}
