// Networks whose drops two indicators decide, for the tests of predictors.
import { INDICATORS, type IndicatorName } from '../../lib/assess/indicators/names.js';
import type { StudyNetwork } from '../../lib/assess/indicators/predictor.js';
import { Random } from '../../lib/tensor/random.js';

const NAMES = Object.keys(INDICATORS) as IndicatorName[];

/** Drops that rise with `pseudoNoiseFlips` and fall with `margin`; everything else is drawn. */
export function population(teachers: number, each: number): StudyNetwork[] {
  const random = new Random(4);
  return Array.from({ length: teachers * each }, (_, i) => {
    const flips = ((i % each) + random.uniform(0, 0.5)) / each;
    const drawn = Object.fromEntries(NAMES.map((name) => [name, random.uniform()])) as Record<IndicatorName, number>;
    return {
      name: `network-${i}`,
      teacher: `teacher-${Math.floor(i / each)}`,
      arch: Math.floor(i / each) % 2 === 0 ? 'even' : 'odd',
      kind: 'drawn',
      policy: 'W4A4',
      drop: 60 * flips ** 2,
      indicators: { ...drawn, pseudoNoiseFlips: flips, margin: 2 - flips },
    };
  });
}
