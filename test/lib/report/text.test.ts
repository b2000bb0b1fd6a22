// Text in columns: what is wide counts twice, what moves the cursor is shown, long names lose their middle.
import assert from 'node:assert/strict';
import { cut, pad, widthOf, wrapText } from '../../../lib/report/text.js';

describe('text in columns', () => {
  it('knows wide and combining characters', () => {
    assert.equal(widthOf('量子'), 4);
    assert.equal(widthOf('e\u0301'), 1);
    assert.equal(pad('量子', 6, true), '  量子');
    assert.equal(pad('ab', 4), 'ab  ');
  });

  it('cuts the middle of a name', () => {
    assert.equal(cut('short', 8), 'short');
    const name = cut('stage1.block2.conv3', 9);
    assert.ok(widthOf(name) <= 9 && name.includes('…') && name.startsWith('stag') && name.endsWith('nv3'), name);
  });

  it('wraps at spaces, words that are too long anywhere', () => {
    assert.deepEqual(wrapText('one two three', '  ', 8), ['one two', '  three']);
    assert.deepEqual(wrapText('abcdefghij', '', 4), ['abcd', 'efgh', 'ij']);
    assert.deepEqual(wrapText('fits'), ['fits']);
  });
});
