// The study of indicators: indicators that predict the drop are separated from others, and predictions are of unseen networks.
import assert from 'node:assert/strict';
import { INDICATORS, type IndicatorName } from '../../../../lib/assess/indicators/names.js';
import { chooseIndicators, predictDrop, type StudyNetwork } from '../../../../lib/assess/indicators/predictor.js';
import { studyIndicators } from '../../../../lib/assess/indicators/study.js';
import { InvalidArgumentError } from '../../../../lib/core/errors.js';
import { Random } from '../../../../lib/tensor/random.js';
import { population } from '../../../support/study_population.js';

const NAMES = Object.keys(INDICATORS) as IndicatorName[];

describe('the study of indicators', () => {
  const networks = population(6, 8);
  const study = studyIndicators(networks, { bits: 'W4A4' });

  it('ranks what predicts the drop first, whichever direction is worse, and shows the useless ones', () => {
    const [first, second, ...others] = study.indicators;
    assert.deepEqual(new Set([first?.indicator, second?.indicator]), new Set(['pseudoNoiseFlips', 'margin']));
    for (const one of [first, second]) {
      assert.ok(Math.abs((one?.all.spearman?.value as number) - 1) < 1e-12);
      assert.equal(one?.all.auroc?.value, 1);
      assert.deepEqual(Object.keys(one?.byArch ?? {}), ['even', 'odd']);
    }
    assert.equal(study.indicators.length, NAMES.length);
    // Drawn without regard to the drop: beyond .6 a rank correlation of 48 is 4 deviations out.
    for (const { all } of others) assert.ok(Math.abs(all.spearman?.value as number) < 0.6);
  });

  it('predicts networks of teachers and architectures that it never saw', () => {
    const { heldOutTeachers: teachers, heldOutArchs: archs } = study;
    assert.ok(teachers && archs);
    for (const found of [teachers, archs]) {
      assert.equal(found.networks, networks.length);
      assert.ok((found.auroc?.value as number) > 0.97);
      assert.ok(found.meanError < 5, String(found.meanError));
    }
  });

  it('does not see the teacher that is held out', () => {
    // One teacher whose drops run against its indicators: in sample some of it would be learned.
    const odd = networks.map((network) =>
      network.teacher === 'teacher-0' ? { ...network, drop: 60 - network.drop } : network,
    );
    const found = studyIndicators(odd, {}).heldOutTeachers;
    assert.ok((found?.meanError as number) > (study.heldOutTeachers?.meanError as number) + 3);
  });

  it('chooses two indicators where one does not tell: noise over margins that differ', () => {
    const random = new Random(5);
    const uneven = networks.map((network): StudyNetwork => {
      const [noise, margin] = [Math.exp(random.uniform(-3, 1)), Math.exp(random.uniform(0, 4))];
      const indicators = { ...network.indicators, noiseOverMargin: noise / margin, pseudoNoiseFlips: 0, margin };
      return { ...network, drop: 60 / (1 + noise ** -2), indicators };
    });
    assert.deepEqual(chooseIndicators(uneven, 10), ['noiseOverMargin', 'margin']);
    const found = studyIndicators(uneven, {});
    assert.ok((found.heldOutArchs?.auroc?.value as number) > 0.97);
    assert.ok((found.indicators.find(({ indicator }) => indicator === 'noiseOverMargin')?.all.auroc?.value ?? 1) < 0.9);
    // What a prediction cannot be made from is named.
    assert.throws(() => predictDrop(found.predictor, { margin: 1 }), /noiseOverMargin, margin/);
  });

  it('refuses what it cannot hold out or count', () => {
    assert.throws(() => studyIndicators(networks.slice(0, 8), {}), InvalidArgumentError);
    const [first] = networks as [StudyNetwork];
    assert.throws(() => studyIndicators([...networks, { ...first, drop: Number.NaN }], {}), InvalidArgumentError);
  });
});
