// The document of a study of indicators, made of the library's result.
import { INDICATORS, type IndicatorName } from '../../../../lib/assess/indicators/names.js';
import { studyIndicators } from '../../../../lib/assess/indicators/study.js';
import { kind } from '../../../../lib/report/kinds/study.js';
import { checkDocument, documentOf } from '../../../support/documents.js';

const NAMES = Object.keys(INDICATORS) as IndicatorName[];

describe('the document of a study', () => {
  it('has every indicator, the predictor on what it never saw, and the networks', async () => {
    const networks = Array.from({ length: 24 }, (_, i) => ({
      ...{ name: `network-${i}`, teacher: `teacher-${i >> 3}`, arch: 'mlp', kind: 'ordinary', policy: 'W4A4' },
      drop: 2 * i,
      indicators: Object.fromEntries(NAMES.map((name, at) => [name, 1 + ((i * (at + 1)) % 24)])) as Record<
        IndicatorName,
        number
      >,
    }));
    const study = studyIndicators(networks, {});
    const words = ['24 networks of 3 teachers', 'held-out architectures: too few to tell', 'network-7'];
    checkDocument(await documentOf(kind, study), [
      ...words,
      ...NAMES.slice(0, 3).map((name) => INDICATORS[name].label),
    ]);
  });
});
