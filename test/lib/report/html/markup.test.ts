// HTML templates: texts are escaped, markup is not, arrays are joined.
import assert from 'node:assert/strict';
import { html, Markup } from '../../../../lib/report/html/markup.js';
import { HOSTILE, pageOf } from '../../../support/pages.js';

describe('HTML markup', () => {
  it('texts and numbers are text, also in attributes', () => {
    assert.equal(html`<p title="${'"x"'}">${'<b>&'}${1}</p>`.text, '<p title="&quot;x&quot;">&lt;b&gt;&amp;1</p>');
  });

  it('markup stays markup, alone and in lists, and undefined is nothing', () => {
    const items = ['a', '<'].map((text) => html`<li>${text}</li>`);
    assert.equal(html`<ul>${items}</ul>${undefined}`.text, '<ul><li>a</li>\n<li>&lt;</li></ul>');
    assert.equal(html`${new Markup('<br>')}`.text, '<br>');
  });

  it('a parser reads a hostile text back', () => {
    const page = pageOf(html`<html><body><p>${HOSTILE}</p></body></html>`.text);
    const [paragraph] = page.querySelectorAll('p');
    assert.equal(paragraph?.textContent.replace(/\r?\n/g, '\n'), HOSTILE.replace('\r\n', '\n'));
    assert.equal([...page.querySelectorAll('script')].length, 0);
  });
});
