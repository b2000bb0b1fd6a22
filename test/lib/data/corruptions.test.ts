// Corruptions against outputs of the published program: pixel by pixel where nothing is random, else by mean, power and
// spectrum of what they change; and that an image's result depends on the image and the seed alone.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../../lib/core/package_root.js';
import {
  CORRUPTION_NAMES,
  type CorruptionName,
  corrupt,
  corruptionInfo,
  parseCorruptions,
  SEVERITIES,
  type Severity,
} from '../../../lib/data/corruptions.js';
import { type ImageSet, imageSet, subset } from '../../../lib/data/image_set.js';
import { setThreads } from '../../../lib/native/threads.js';
import { Random } from '../../../lib/tensor/random.js';

interface Fixture {
  /** [32, 32, 3] */
  readonly image: string;
  readonly exact: Record<string, Record<string, string>>;
  /** Over `draws` runs: mean and power of the change, and power in rings of the spectrum of its grey part. */
  readonly distribution: Record<string, { draws: number; mean: number[]; deviation: number[] }>;
}

const fixture = JSON.parse(readFileSync(join(packageRoot(), 'test/data/corruptions.json'), 'utf8')) as Fixture;
const bytes = (base64: string) => new Uint8Array(Buffer.from(base64, 'base64'));
const SIDE = 32;
const published = imageSet('test', { height: SIDE, width: SIDE, channels: 3, pixels: bytes(fixture.image) });
const NORMALIZATION = { mean: [0.3, 0.4, 0.5], std: [0.2, 0.25, 0.3] };

/** Smooth pictures with edges: a disc on a slope, each its own. */
function pictures(count: number, height: number, width: number, channels: number): ImageSet {
  const random = new Random(4);
  const pixels = new Uint8Array(count * height * width * channels);
  for (let image = 0, at = 0; image < count; image++) {
    const [y0, x0, r] = [random.uniform(0.3, 0.7) * height, random.uniform(0.3, 0.7) * width, height * 0.25];
    const disc = Array.from({ length: channels }, () => random.integer(256));
    const slope = random.uniform(1, 4);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const inDisc = (y - y0) ** 2 + (x - x0) ** 2 < r * r;
        for (let c = 0; c < channels; c++, at++) {
          pixels[at] = inDisc ? (disc[c] as number) : Math.min(255, 30 + 10 * c + slope * x + y);
        }
      }
    }
  }
  return imageSet('test', { height, width, channels, pixels, labels: new Int32Array(count) });
}

function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += ((a[i] as number) - (b[i] as number)) ** 2;
  return Math.sqrt(sum / a.length);
}

const RINGS = [
  [0, 0.5],
  [0.5, 2],
  [2, 4],
  [4, 8],
  [8, 16],
  [16, 24],
] as const;

const cosines = Float64Array.from({ length: SIDE }, (_, i) => Math.cos((2 * Math.PI * i) / SIDE));
const sines = Float64Array.from({ length: SIDE }, (_, i) => Math.sin((2 * Math.PI * i) / SIDE));
const frequency = (i: number) => (i < SIDE / 2 ? i : i - SIDE);
/** Which ring each place of a spectrum is in. */
const ringOf = Int32Array.from({ length: SIDE * SIDE }, (_, i) => {
  const radius = Math.hypot(frequency(Math.floor(i / SIDE)), frequency(i % SIDE));
  return RINGS.findIndex(([from, to]) => radius >= from && radius < to);
});

/** Discrete Fourier transform along the rows of a [32, 32] plane, transposed for the other axis. */
function transform(re: Float64Array, im: Float64Array): [Float64Array, Float64Array] {
  const [outRe, outIm] = [new Float64Array(re.length), new Float64Array(re.length)];
  for (let i = 0; i < SIDE; i++) {
    for (let k = 0; k < SIDE; k++) {
      let [sumRe, sumIm] = [0, 0];
      for (let j = 0; j < SIDE; j++) {
        const [cos, sin] = [cosines[(j * k) % SIDE] as number, sines[(j * k) % SIDE] as number];
        const [a, b] = [re[i * SIDE + j] as number, im[i * SIDE + j] as number];
        sumRe += a * cos + b * sin;
        sumIm += b * cos - a * sin;
      }
      outRe[k * SIDE + i] = sumRe;
      outIm[k * SIDE + i] = sumIm;
    }
  }
  return [outRe, outIm];
}

/** What the fixture's `distribution` holds, of one corrupted image. */
function statistics(out: ArrayLike<number>): number[] {
  let [sum, squares] = [0, 0];
  const grey = new Float64Array(SIDE * SIDE);
  for (let i = 0; i < out.length; i++) {
    const change = (out[i] as number) - (published.pixels[i] as number);
    sum += change;
    squares += change * change;
    (grey[Math.floor(i / 3)] as number) += change / 3;
  }
  const [re, im] = transform(...transform(grey, new Float64Array(grey.length)));
  const rings = RINGS.map(() => ({ power: 0, places: 0 }));
  re.forEach((value, i) => {
    const ring = rings[ringOf[i] as number];
    if (!ring) return;
    ring.power += (value * value + (im[i] as number) ** 2) / re.length;
    ring.places += 1;
  });
  return [sum / out.length, squares / out.length, ...rings.map(({ power, places }) => power / places)];
}

/** Ours and the published arithmetic cut to bytes at whole numbers on either side of the last bit. */
const MOST_APART = 1;
/** Share of the values that may be so. Flat areas are whole numbers exactly, where float64's rounding decides theirs. */
const SHARE_APART: Record<string, number> = { gaussian_blur: 0.35, defocus_blur: 0.35, saturate: 0.1 };
const DEFAULT_SHARE_APART = 0.05;

describe('corruptions beside the published program', () => {
  for (const [name, bySeverity] of Object.entries(fixture.exact)) {
    it(`${name} gives its pixels`, async () => {
      for (const [severity, expected] of Object.entries(bySeverity)) {
        const { pixels } = await corrupt(published, name as CorruptionName, Number(severity) as Severity);
        const wanted = bytes(expected);
        const apart = wanted.map((value, i) => Math.abs(value - (pixels[i] as number)));
        const exact = name === 'jpeg_compression' || name === 'pixelate'; // integer arithmetic throughout
        const share = exact ? 0 : (SHARE_APART[name] ?? DEFAULT_SHARE_APART);
        assert.ok(
          Math.max(...apart) <= (exact ? 0 : MOST_APART),
          `${name}:${severity} differs by ${Math.max(...apart)}`,
        );
        assert.ok(apart.filter((value) => value > 0).length <= share * apart.length, `${name}:${severity} shares`);
      }
    });
  }

  // Five standard errors of the difference of two means, over 160 comparisons. The
  // rounding of whole numbers, above, moves a mean by at most SYSTEMATIC bytes.
  const ERRORS = 5;
  const SYSTEMATIC = 0.15;
  const DRAWS = 200;
  for (const [request, { draws, mean, deviation }] of Object.entries(fixture.distribution)) {
    it(`${request} changes as much, at the same frequencies`, async () => {
      const [name = '', severity] = request.split(':');
      const sums = mean.map(() => 0);
      for (let seed = 0; seed < DRAWS; seed++) {
        const { pixels } = await corrupt(published, name as CorruptionName, Number(severity) as Severity, { seed });
        statistics(pixels).forEach((value, i) => {
          (sums[i] as number) += value / DRAWS;
        });
      }
      sums.forEach((ours, i) => {
        const [theirs = 0, spread = 0] = [mean[i], deviation[i]];
        const error = ERRORS * spread * Math.sqrt(1 / draws + 1 / DRAWS);
        const systematic = i === 0 ? SYSTEMATIC : 0.02 * theirs + SYSTEMATIC;
        assert.ok(
          Math.abs(ours - theirs) <= error + systematic,
          `statistic ${i}: ${ours}, published ${theirs} ± ${error}`,
        );
      });
    });
  }
});

describe('corruptions', () => {
  const options = { seed: 9, normalization: NORMALIZATION };
  const set = pictures(12, SIDE, SIDE, 3);

  it('depend on the image and the seed, not on other images, their order or threads', async () => {
    const order = [7, 3, 11];
    const some = subset(set, order);
    for (const name of CORRUPTION_NAMES) {
      const whole = await corrupt(set, name, 4, options);
      setThreads(1);
      const alone = await corrupt(some, name, 4, options);
      setThreads(3);
      const again = await corrupt(some, name, 4, options);
      setThreads(0);
      assert.deepEqual(alone.pixels, subset(whole, order).pixels, name);
      assert.deepEqual(again.pixels, alone.pixels, name);
      assert.deepEqual(whole.labels, set.labels);
    }
  });

  it('differ between seeds where something is random, and only there', async () => {
    const still = new Set<CorruptionName>([
      ...(Object.keys(fixture.exact) as CorruptionName[]),
      'intensity_scale',
      'inversion',
    ]);
    for (const name of CORRUPTION_NAMES) {
      const [a, b] = [await corrupt(set, name, 5, options), await corrupt(set, name, 5, { ...options, seed: 10 })];
      assert.equal(distance(a.pixels, b.pixels) === 0, still.has(name), name);
    }
  });

  it('move an image further with every severity', async () => {
    // As published, these do not: saturate 3 to 5 colour what 1 and 2 bleach, glass_blur 4 blurs less than 3,
    // elastic_transform 1 is the widest affine map, spatter changes from water to mud, frost 4 darkens more than 3.
    const unordered = new Set<CorruptionName>(['saturate', 'glass_blur', 'elastic_transform', 'spatter', 'frost']);
    // inversion has one strength; motion_blur 4 has a longer tail than 3, which is below a byte's last bit.
    const level = new Set<CorruptionName>(['inversion', 'motion_blur']);
    const clean = await corrupt(set, 'intensity_scale', { strength: 1 }, options);
    for (const name of CORRUPTION_NAMES.filter((one) => !unordered.has(one))) {
      let last = 0;
      for (const severity of SEVERITIES) {
        const { pixels } = await corrupt(set, name, severity, options);
        const moved = distance(pixels, corruptionInfo(name).givesInputs ? clean.pixels : set.pixels);
        const further = level.has(name) ? moved >= last : moved > last;
        assert.ok(moved > 0 && further, `${name}:${severity} ${moved} after ${last}`);
        last = moved;
      }
    }
  });

  it('keep grey images grey and take any size', async () => {
    for (const [height, width, channels] of [
      [28, 28, 1],
      [9, 31, 1],
      [47, 8, 3],
      [70, 64, 3],
      [130, 121, 1],
    ] as const) {
      const odd = pictures(2, height, width, channels);
      for (const name of CORRUPTION_NAMES) {
        const normalization = { mean: Array(channels).fill(0.3), std: Array(channels).fill(0.2) };
        const { pixels, ...rest } = await corrupt(odd, name, 3, { seed: 9, normalization });
        assert.equal(pixels.length, odd.pixels.length, name);
        assert.deepEqual([rest.height, rest.width, rest.channels], [height, width, channels]);
        assert.ok(
          pixels.every((value) => Number.isFinite(value)),
          name,
        );
      }
    }
  });

  it('refuse what they cannot take, by name', async () => {
    const refused = (promise: Promise<unknown>, message: RegExp) => assert.rejects(promise, message);
    await refused(corrupt(set, 'smog' as CorruptionName, 1), /name: expected gaussian_noise, .*received "smog"/);
    await refused(corrupt(set, 'fog', 6 as Severity), /severity: expected an integer from 1 to 5, received 6/);
    await refused(corrupt(set, 'fog', { strength: 2 }), /fog has no strength/);
    await refused(corrupt(set, 'bright_pixel', 1), /normalization: expected the network's/);
    await refused(corrupt(set, 'rotation', { strength: Number.NaN }), /strength: expected a number ≥ 0 \(degrees/);
    await refused(corrupt(set, 'rotation', { strength: 1e9 }), /rotation: constant 0/);
    await refused(corrupt(pictures(1, 7, 32, 1), 'fog', 1), /sides from 8 to 4096 .*received 7×32×1/);
    const inputs = await corrupt(set, 'bright_row', 1, options);
    await refused(corrupt(inputs, 'fog', 1), /set: expected bytes for fog, received floats/);
    await refused(corrupt(set, 'fog', 1, { signal: AbortSignal.abort(new Error('off')) }), /off/);
  });

  it('are chosen by group, name, severity and strength', () => {
    assert.equal(parseCorruptions('all').length, 19);
    assert.equal(parseCorruptions('benchmark').length, 15);
    assert.deepEqual(parseCorruptions('fog:3,fog:5'), [{ name: 'fog', levels: [3, 5] }]);
    assert.deepEqual(parseCorruptions('fog:3,weather:3')[0], { name: 'fog', levels: [3] });
    assert.deepEqual(parseCorruptions('bright_pixel:x16'), [{ name: 'bright_pixel', levels: [{ strength: 16 }] }]);
    for (const wrong of ['', 'haze', 'fog:0', 'fog:3:4', 'fog:x2', 'noise,']) {
      assert.throws(() => parseCorruptions(wrong), /parseCorruptions|corrupt/, wrong);
    }
  });
});

describe('transformations and range attacks', () => {
  const options = { seed: 2, normalization: NORMALIZATION };
  const set = pictures(3, SIDE, SIDE, 3);
  const input = (pixel: number, c: number) =>
    (pixel / 255 - (NORMALIZATION.mean[c] ?? 0)) / (NORMALIZATION.std[c] ?? 1);

  it('leave the image as it is at strength 0', async () => {
    for (const name of [
      'rotation',
      'translation',
      'scaling',
      'shear',
      'linear_contrast',
      'linear_brightness',
    ] as const) {
      assert.deepEqual((await corrupt(set, name, { strength: 0 }, options)).pixels, set.pixels, name);
    }
  });

  it('translate by whole pixels exactly, and turn by a quarter', async () => {
    const { pixels } = await corrupt(set, 'translation', { strength: 1 / SIDE }, options);
    const at = (p: ArrayLike<number>, y: number, x: number) =>
      y < 0 || x < 0 || y >= SIDE || x >= SIDE ? 0 : p[(y * SIDE + x) * 3];
    const matches = [-1, 0, 1].flatMap((dy) =>
      [-1, 0, 1].map((dx) => {
        for (let y = 0; y < SIDE; y++) {
          for (let x = 0; x < SIDE; x++) if (at(pixels, y, x) !== at(set.pixels, y + dy, x + dx)) return false;
        }
        return true;
      }),
    );
    assert.equal(matches.filter(Boolean).length, 1);
    assert.equal(matches[4], false); // it moved
    const turned = (await corrupt(set, 'rotation', { strength: 90 }, options)).pixels;
    const left = [...Array(SIDE).keys()].every((i) => at(turned, i, 5) === at(set.pixels, 5, SIDE - 1 - i));
    const right = [...Array(SIDE).keys()].every((i) => at(turned, i, 5) === at(set.pixels, SIDE - 1 - 5, i));
    assert.ok(left || right);
  });

  it('invert, and cover the share they say', async () => {
    const { pixels } = await corrupt(set, 'inversion', 1);
    assert.deepEqual(
      pixels,
      set.pixels.map((value) => 255 - value),
    );
    const white = imageSet('test', { height: 40, width: 40, channels: 1, pixels: new Uint8Array(1600).fill(255) });
    const covered = (await corrupt(white, 'occlusion', { strength: 0.25 })).pixels.filter((value) => value === 0);
    assert.equal(covered.length, 400);
  });

  it('set one pixel, one row or a patch to their strength, and nothing else', async () => {
    const sizes = { bright_pixel: 1, bright_row: SIDE, saturated_patch: 16 } as const;
    for (const [name, size] of Object.entries(sizes)) {
      const { pixels } = await corrupt(set, name as CorruptionName, { strength: 16 }, options);
      for (let image = 0; image < set.count; image++) {
        const changed = new Set<number>();
        for (let i = 0; i < SIDE * SIDE * 3; i++) {
          const at = image * SIDE * SIDE * 3 + i;
          const before = Math.fround(input(set.pixels[at] as number, i % 3));
          if (pixels[at] === before) continue;
          assert.equal(pixels[at], Math.fround(input(16 * 255, i % 3)), name);
          changed.add(Math.floor(i / 3));
        }
        assert.equal(changed.size, size, name);
      }
    }
  });

  it('scale one channel, or all', async () => {
    // (2x − mean) / std in float32, of values below 10.
    const ROUNDING = 10 * 2 ** -22;
    for (const name of ['outlier_channel', 'intensity_scale'] as const) {
      const { pixels } = await corrupt(set, name, { strength: 2 }, options);
      for (let image = 0; image < set.count; image++) {
        const scaled = [0, 1, 2].filter((c) => {
          const at = image * SIDE * SIDE * 3 + c;
          const once = input(set.pixels[at] as number, c);
          const twice = input(2 * (set.pixels[at] as number), c);
          const received = pixels[at] as number;
          assert.ok(Math.min(Math.abs(received - once), Math.abs(received - twice)) < ROUNDING);
          return Math.abs(received - twice) < ROUNDING;
        });
        assert.equal(scaled.length, name === 'outlier_channel' ? 1 : 3);
      }
    }
  });

  it('take inputs of a network as they take bytes', async () => {
    const inputs = await corrupt(set, 'intensity_scale', { strength: 1 }, options);
    const { pixels } = await corrupt(inputs, 'bright_row', 2, options);
    assert.equal(pixels.length, set.pixels.length);
    assert.notDeepEqual(pixels, inputs.pixels);
  });
});
