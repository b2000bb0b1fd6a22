// Ranges and channels of activations, against plain loops; what is added in parts is as added at once.
import assert from 'node:assert/strict';
import { ActivationRanges, ChannelMaxima, OUTLIER_FACTOR } from '../../../../lib/assess/profile/ranges.js';

describe('ranges of activations', () => {
  it('least, mean and largest scale, and their spread', () => {
    const ranges = new ActivationRanges();
    ranges.add(Float32Array.of(1, 2));
    ranges.add(Float32Array.of(0.5));
    const { ranges: count, scale, spread, histogram } = ranges.read();
    assert.deepEqual({ count, scale, spread }, { count: 3, scale: { least: 0.5, mean: 3.5 / 3, most: 2 }, spread: 4 });
    // Two octaves, four bins each, from that of 2^−1 on.
    assert.deepEqual(histogram, { first: -1, binsPerOctave: 4, counts: [1, 0, 0, 0, 1, 0, 0, 0, 1] });
  });

  it('scales beyond the histogram are in its outer bins', () => {
    const ranges = new ActivationRanges();
    ranges.add(Float32Array.of(0, 1e30));
    const { counts } = ranges.read().histogram;
    assert.deepEqual([counts[0], counts.at(-1)], [1, 1]);
  });

  it('of nothing are none', () => {
    const { ranges, scale, spread } = new ActivationRanges().read();
    assert.deepEqual([ranges, scale, spread], [0, { least: 0, mean: 0, most: 0 }, 1]);
  });
});

describe('maxima of channels', () => {
  /** Two samples of two places and three channels: channel 1 is an outlier of the first sample. */
  const x = Float32Array.of(1, -20, 0.5, 0.5, 3, -1, 2, 1, 1, -1, 0, 0);

  it('largest values, and the share of samples whose range a channel sets', () => {
    const maxima = new ChannelMaxima(3);
    maxima.add(x, 2);
    const { count, maxAbs, outliers } = maxima.read();
    assert.deepEqual([count, maxAbs], [3, [2, 20, 1]]);
    assert.deepEqual(outliers, [{ channel: 1, maxAbs: 20, timesMedian: 10, setsRange: 0.5 }]);
    assert.ok(10 >= OUTLIER_FACTOR);
  });

  it('samples one by one give the same', () => {
    const [whole, parts] = [new ChannelMaxima(3), new ChannelMaxima(3)];
    whole.add(x, 2);
    parts.add(x.subarray(0, 6), 1);
    parts.add(x.subarray(6), 1);
    assert.deepEqual(parts.read(), whole.read());
  });
});
