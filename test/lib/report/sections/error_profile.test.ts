// The section of quantization error: pooled channels, causes as a waterfall, maps relative to the worst channel.
import assert from 'node:assert/strict';
import { reportSchema } from '../../../../lib/report/schema.js';
import { errorProfileSection } from '../../../../lib/report/sections/error_profile.js';
import { reportFixture } from '../../../support/report_fixture.js';

const report = reportSchema.parse(reportFixture());
const [first] = report.errorProfile ?? [];

/** The data of a chart of the section, of these layers under no named policy. */
function drawn(name: string, layers: readonly object[]) {
  const errorProfile = layers.map((layer, i) => ({
    ...{ node: `n${i}`, sqnrDb: 20, mse: 1, cosine: 1, maxAbsError: 1 },
    ...layer,
  })) as (typeof first & object)[];
  const blocks = errorProfileSection({ ...report, errorProfile })?.blocks ?? [];
  const found = blocks.find((block) => 'name' in block && block.name === name);
  return found?.kind === 'chart' ? found.data : undefined;
}

describe('section of quantization error', () => {
  it('channels beyond 64 columns are pooled by their largest, relative to the worst', () => {
    const data = drawn('error-channels', [{ channels: Array.from({ length: 128 }, (_, i) => i + 1) }]);
    assert.ok(data?.type === 'cells');
    assert.deepEqual(data.values, [Array.from({ length: 64 }, (_, i) => (2 * i + 2) / 128)]);
  });

  it('causes add up, one that a layer does not have is zero', () => {
    const data = drawn('error-terms', [{ terms: { x: 1 } }, { terms: { y: 2 } }]);
    assert.ok(data?.type === 'stacked');
    assert.deepEqual(data.parts, ['x', 'y']);
    assert.deepEqual(
      data.rows.map(({ values }) => values),
      [
        [1, 0],
        [0, 2],
      ],
    );
    assert.equal(drawn('error-terms', [{}]), undefined);
  });

  it('rows of fewer channels end in gaps', () => {
    const data = drawn('error-channels', [{ channels: [1, 4] }, { channels: [0, 0, 0] }]);
    assert.ok(data?.type === 'cells');
    assert.deepEqual(data.values, [
      [0.25, 1, null],
      [0, 0, 0],
    ]);
  });

  it('has a table, a waterfall and a map, and the histograms there are', () => {
    const names = errorProfileSection(report)?.blocks.map((block) => ('name' in block ? block.name : ''));
    assert.deepEqual(names, ['error-W4A4', 'error-terms-W4A4', 'error-channels-W4A4', 'error-histogram-W4A4-stem']);
    assert.equal(errorProfileSection({ ...report, errorProfile: [] }), undefined);
  });
});
