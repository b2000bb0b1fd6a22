// Results as version 0.1.0 wrote them before schemes had names, of a small network and cut to one entry a list.
const figures = {
  ...{ accuracy: 84.5, agreement: 100, drop: 0.5, interval: [-2.16, 2.16], pValue: 1, flips: 0 },
  ...{ newlyWrong: 0, newlyRight: 0, worstClass: { label: 0, samples: 15, fpAccuracy: 80, accuracy: 80 } },
  margins: { fp: { low: 0.37, median: 3.34 }, quantized: { low: 0.36, median: 3.35 } },
  level: 'caution',
};
const policy = {
  schema: 'faultline.policy/1',
  nodes: { hidden: { weightBits: 4, activationBits: 8 }, logits: { weightBits: 8, activationBits: 8 } },
  excluded: [],
};

/** Of `assess`. */
export const ASSESS_1 = {
  schema: 'faultline.assess/1',
  model: 'mlp/model.onnx',
  measure: 'accuracy',
  thresholds: { maxDrop: 1, dropType: 'absolute', confidence: 0.95, catastrophe: 10 },
  samples: { all: 200, searched: 50, judged: 150, apart: true },
  fp: { accuracy: 84.67, interval: [78.04, 89.56], classes: 10, labels: 10, commonest: 14 },
  policies: [{ name: 'worst found', found: 'worst', effectiveBits: 7, ...figures, policy }],
  foretold: [{ policy: 'W4A4', probability: 0.25, drop: 3.5, interval: [-29, 44], measured: 0.5 }],
  search: {
    ...{ bits: 7, choices: ['W4A8', 'W8A8'], policies: '3', samples: 50 },
    agents: [
      { agent: 'exhaustive', goal: 'worst', evaluations: 3, value: 92, history: [[1, 92]] },
      { agent: 'exhaustive', goal: 'best', evaluations: 3, value: 94, history: [[1, 94]] },
    ],
  },
  subject: 'W4A4',
  sensitivity: [{ node: 'hidden', drop: 0.5, restored: 0.25 }],
  remedies: [{ kind: 'equalize', what: 'cross-layer equalization', nodes: [], policy, ...figures }],
  profile: [{ node: 'hidden', aloneSqnrDb: 25.8, sqnrDb: 23.6, propagatedShare: 0, spread: 1.004, outliers: 0 }],
  granularity: [{ policy: 'W8A8', samples: 150, ...figures, weights: 'perChannel', activations: 'perBatch' }],
  processors: [{ name: 'without VNNI', policy: 'W8A8', samples: 150, ...figures }],
  skipped: [],
  estimate: { seconds: 1.2, stages: [{ stage: 'foretold', seconds: 0.2 }] },
  seconds: { foretold: 0.6 },
  verdict: 'caution',
  answer: 'the worst policy of 7 bits may lose more than 1.00 points',
  reasons: ['150 samples cannot say so for certain'],
  advice: [],
};

/** Of `reproduce` and `pair`: the fields that name bits. */
export const REPORT_1 = {
  schema: 'faultline.report/1',
  pairs: [
    {
      ...{ objective: 'detrimental', policy: 'static', agent: 'greedy', seed: 0, effectiveBits: 6, choices: [4, 8] },
      ...{ fpAccuracy: 91, fpGap: 0.5, quantizedAccuracy: 13, drop: 78 },
      layers: [{ node: 'stem', operator: 'Conv', weightBits: 4, activationBits: 8 }],
    },
  ],
};

/** Of `vulnerable` and `quantize`: without names of classes, without the bytes of the weights before. */
export const VULNERABLE_1 = {
  schema: 'faultline.vulnerable/1',
  ...{ model: 'model.onnx', policy: 'W4A4', measure: 'accuracy', samples: 200, seed: 0 },
  ...{ fullPrecision: 86.5, quantized: 80, pairs: [], channels: [], worst: [] },
  layers: [{ node: 'hidden', drop: 1, restored: 6.5 }],
  classes: [{ label: 3, samples: 20, fullPrecision: 18, quantized: 12 }],
  inputs: { flips: 1, points: [{ sample: 14, label: 7, before: 5, after: 3, margin: 0.08, risk: 3.4 }] },
};
export const QUANTIZE_1 = {
  schema: 'faultline.quantize/1',
  ...{ model: 'net.onnx', out: 'q.onnx', bytes: 239912, format: 'integer' },
  nodes: [{ node: 'hidden', operator: 'Gemm', form: 'integer', bits: 'W8A8', remarks: [] }],
};
