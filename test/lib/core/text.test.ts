// Text made safe: what moves cursors, turns directions or is invisible is replaced, everything else stays.
import assert from 'node:assert/strict';
import { plain, plainJson, plainLines, plainTexts } from '../../../lib/core/text.js';

/** One of each kind: controls (C0, DEL, C1), bidirectional, zero width, separators, tags, half a pair. */
const UNSAFE = [
  ...['\u0000', '\u0007', '\b', '\t', '\n', '\r', '\u001b', '\u007f', '\u0085', '\u009b', '\u009d', '\u00ad'],
  ...['\u061c', '\u180e', '\u200b', '\u200d', '\u200e', '\u2028', '\u2029', '\u202a', '\u202e', '\u2060', '\u2066'],
  ...['\u2069', '\u3164', '\ufe0f', '\ufeff', '\ufff9', '\ud800', '\udc00', '\u{1d173}', '\u{e0041}'],
];

describe('text made safe', () => {
  it('replaces every unsafe character and keeps letters of every script', () => {
    for (const character of UNSAFE) assert.equal(plain(`a${character}b`), 'a\ufffdb', JSON.stringify(character));
    for (const text of [
      'conv1/W_0.bias:0 ~',
      'Größe',
      '量子化',
      'Свёртка',
      'שלום',
      'हिन्दी',
      'e\u0301',
      '🙂',
      '−0.5 µs',
    ])
      assert.equal(plain(text), text);
  });

  it('keeps line breaks where they are meant', () => {
    assert.equal(plainLines('a\u001b\r\nb\rc\n'), 'a\ufffd\r\nb\ufffdc\n');
  });

  it('goes through objects and arrays, and leaves other values', () => {
    const numbers = Float32Array.of(1);
    const value = { a: ['\u001b', 1, null], b: { c: '\u202e', d: undefined }, numbers };
    assert.deepEqual(plainTexts(value), { a: ['\ufffd', 1, null], b: { c: '\ufffd', d: undefined }, numbers });
    assert.equal(plainTexts(value).numbers, numbers);
  });

  it('escapes in JSON what JSON.stringify leaves, and the value stays', () => {
    const value = { [UNSAFE.join('')]: UNSAFE, plain: ['量', 'a'] };
    for (const indent of [0, 1]) {
      const json = plainJson(JSON.stringify(value, null, indent));
      assert.equal(plainLines(json), json);
      assert.deepEqual(JSON.parse(json), value);
      assert.ok(json.includes('量'));
    }
  });
});
