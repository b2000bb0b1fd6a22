// Names of schemes: one parser, one printer, and no other code that parses names.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { InvalidArgumentError } from '../../../lib/core/errors.js';
import {
  perChannel,
  perGroup,
  perOutputChannel,
  perSample,
  perTensor,
  perToken,
} from '../../../lib/format/granularity.js';
import { float32, NUMERIC_FORMATS } from '../../../lib/format/numeric_format.js';
import {
  formatScheme,
  isWeightsOnly,
  looksLikeScheme,
  parseScheme,
  type Scheme,
  schemeOf,
  shiftBits,
  withFormats,
} from '../../../lib/format/scheme.js';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));

const formats = fc.constantFrom(...NUMERIC_FORMATS);
const weightGranularity = fc.oneof(
  fc.constantFrom(perOutputChannel, perTensor),
  fc.integer({ min: 1, max: 2 ** 20 }).map(perGroup),
);
/** Every scheme there is; what is not quantized has no granularity to choose. */
const schemes = fc
  .tuple(formats, formats, weightGranularity, fc.constantFrom(perSample, perToken, perTensor))
  .map(([weights, activations, w, a]) =>
    schemeOf(weights, activations, {
      weights: weights === float32 ? undefined : w,
      activations: activations === float32 ? undefined : a,
    }),
  );

describe('schemes', () => {
  it('the names of the documentation say what they should', () => {
    const cases: [string, Scheme][] = [
      ['W8A8', schemeOf(8, 8)],
      ['W4A4', schemeOf(4, 4, { weights: perChannel(0), activations: perSample })],
      ['W4A16', schemeOf(4, float32)],
      ['W8A8/token', schemeOf(8, 8, { activations: perToken })],
      ['W8A8/tensor', schemeOf(8, 8, { activations: perTensor })],
      ['W8A8/wtensor', schemeOf(8, 8, { weights: perTensor })],
      ['W4A8/g128', schemeOf(4, 8, { weights: perGroup(128) })],
      ['W4A8/g32/tensor', schemeOf(4, 8, { weights: perGroup(32), activations: perTensor })],
    ];
    for (const [name, scheme] of cases) {
      assert.equal(parseScheme(name), scheme, name);
      assert.equal(formatScheme(scheme), name);
    }
    assert.ok(isWeightsOnly(parseScheme('W4A16')) && !isWeightsOnly(parseScheme('W4A8')));
  });

  it('every scheme is read back from its name, in either case and with its suffixes in any order', () => {
    fc.assert(
      fc.property(schemes, (scheme) => {
        const name = formatScheme(scheme);
        assert.equal(parseScheme(name), scheme);
        assert.equal(parseScheme(name.toLowerCase()), scheme);
        const [formatsOnly, ...suffixes] = name.split('/');
        assert.equal(parseScheme([formatsOnly, ...suffixes.reverse()].join('/')), scheme);
        assert.ok(looksLikeScheme(name));
      }),
    );
  });

  it('a text is a scheme whose name says the same, or is refused', () => {
    const parts = fc.array(
      fc.constantFrom('W', 'A', '4', '8', '16', '9', '/', 'g', '128', '0', 'token', 'tensor', 'w'),
      {
        maxLength: 10,
      },
    );
    fc.assert(
      fc.property(parts, (each) => {
        const text = each.join('');
        try {
          assert.ok(
            text.toLowerCase().startsWith(formatScheme(parseScheme(text)).split('/')[0]?.toLowerCase() as string),
          );
        } catch (error) {
          assert.ok(error instanceof InvalidArgumentError, text);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('what is no scheme is refused', () => {
    const bad = ['W9A8', 'W8', 'A8W8', 'W1A8', 'W8A8x', '', 'W8A32', 'W8A8/', 'W8A8/rows', 'W8A8/g0', 'W8A8/g'];
    for (const text of [...bad, 'W8A8/token/tensor', 'W8A8/g32/wtensor', 'W4A16/token', 'W16A8/g32']) {
      assert.throws(() => parseScheme(text), InvalidArgumentError, text);
    }
    assert.throws(() => schemeOf(9, 8), /scheme: weights: expected an integer from 2 to 8, received 9/);
    assert.throws(() => schemeOf(8, 8, { weights: perToken }), /weights granularity: expected perChannel\(0\), /);
    assert.throws(() => schemeOf(8, 8, { activations: perChannel(1) }), /received perChannel\(1\)/);
  });

  it('bits are moved within what integers have, granularities and what is not quantized stay', () => {
    const at = (name: string) => parseScheme(name);
    assert.equal(shiftBits(at('W4A8/g32'), 1, 1), at('W5A8/g32'));
    assert.equal(shiftBits(at('W2A16'), -1, 2), at('W2A16'));
    assert.equal(withFormats(at('W4A4/token'), { weights: 8 }), at('W8A4/token'));
  });
});

describe('the format language', () => {
  const sources = readdirSync(join(ROOT, 'lib'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => ({ path, text: readFileSync(join(ROOT, 'lib', path), 'utf8') }));

  it('names of schemes are taken apart in lib/format only', () => {
    const patterns = /\/[^/\n]*W[^/\n]*(\[2-8\]|\\d)[^/\n]*A[^/\n]*(\[2-8\]|\\d)/i;
    const wrong = sources.filter(({ path, text }) => !path.startsWith('format/') && patterns.test(text));
    assert.deepEqual(
      wrong.map(({ path }) => path),
      [],
    );
  });

  it('bits of weights are asked of the scheme, but where documents have them and where C++ begins', () => {
    const homes = /^(format|policy|native|report|reproduce)\//;
    const wrong = sources.filter(({ path, text }) => !homes.test(path) && /\bweightBits\b/.test(text));
    assert.deepEqual(
      wrong.map(({ path }) => path),
      [],
    );
  });
});
