// Names of indicators: as reports show them, shares in percent.
import assert from 'node:assert/strict';
import { INDICATORS, type IndicatorName, shownIndicator } from '../../../../lib/assess/indicators/names.js';

describe('names of indicators', () => {
  it('shares are shown in percent, everything else as it is', () => {
    assert.deepEqual(shownIndicator('pseudoNoiseFlips', 0.25), { label: 'pseudo-noise flips, %', value: 25 });
    assert.deepEqual(shownIndicator('kurtosis', 3), { label: 'weight kurtosis', value: 3 });
  });

  it('no two have one label', () => {
    const labels = (Object.keys(INDICATORS) as IndicatorName[]).map((name) => shownIndicator(name, 0).label);
    assert.equal(new Set(labels).size, labels.length);
  });
});
