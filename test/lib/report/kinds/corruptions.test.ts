// Corruptions as a document: the clean images first, drops in points with their intervals, full precision without.
import assert from 'node:assert/strict';
import { tablesOf } from '../../../../lib/report/document.js';
import { kind } from '../../../../lib/report/kinds/corruptions.js';
import { checkDocument, documentOf } from '../../../support/documents.js';

const policies = (drop: number) => [
  { policy: 'W4A4', accuracy: 0.9 - drop, accuracyInterval: [0, 1], drop, dropInterval: [drop - 0.01, drop + 0.01] },
];
const estimate = (value: number) => ({ value, interval: [value - 0.1, value + 0.1] });
const result = {
  ...{
    schema: 'faultline.corruptions/1',
    model: 'a/net.onnx',
    images: 200,
    seed: 1,
    confidence: 0.95,
    baseline: 'fp32',
  },
  clean: { fpAccuracy: 0.9, fpAccuracyInterval: [0.8, 1], policies: policies(0.02) },
  conditions: [
    {
      ...{ corruption: 'fog', family: 'weather', level: 3, fpAccuracy: 0.5, fpAccuracyInterval: [0.4, 0.6] },
      policies: policies(0.3),
    },
  ],
  summary: ['fp32', 'W4A4'].map((policy, at) => ({
    ...{ policy, meanAccuracy: estimate(0.7), meanDrop: estimate(at / 4), worstDrop: 0.3 * at, corruptions: ['fog'] },
    ...(at === 0 ? {} : { mCE: estimate(1.5) }),
  })),
};

describe('document of corruptions', () => {
  it('has every condition, means without a drop of full precision, and errors beside the baseline', async () => {
    const document = await documentOf(kind, result);
    checkDocument(document, ['Corruptions of net.onnx', 'fog:3', 'W4A4']);
    assert.match(document.lead, /at most 30\.00 points more \(W4A4\)/);
    const rows = (name: string) => tablesOf(document).find((table) => table.name === name)?.rows;
    assert.deepEqual(
      rows('conditions')?.map(([condition, fp]) => [condition, fp]),
      [
        ['clean', 90],
        ['fog:3', 50],
      ],
    );
    assert.deepEqual(rows('conditions')?.[1]?.[2], { value: 30, interval: [28.999999999999996, 31] });
    assert.deepEqual(rows('summary')?.[0]?.slice(2), [undefined, undefined]);
    assert.deepEqual(rows('corruption-error')?.[0]?.[1], undefined);
  });
});
