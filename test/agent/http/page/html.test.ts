import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { html, trustedHtml } from '../../../../src/agent/http/page/html.ts';
import { withCode } from '../../../../src/agent/http/page/inline-code.ts';
import { hostileTexts } from '../hostile-status.ts';

describe('markup', () => {
  it('escapes every text that is put in, for text and for attributes', () => {
    expect(html`<p title="${`"'<>&`}">${`</p><script>"'&amp;`}</p>`.toString()).toBe(
      '<p title="&quot;&#39;&lt;&gt;&amp;">&lt;/p&gt;&lt;script&gt;&quot;&#39;&amp;amp;</p>',
    );
  });

  it('puts in markup, lists of it and numbers as they are, and nothing for undefined', () => {
    const items = [html`<li>${1}</li>`, undefined, [html`<li>${'<'}</li>`]];
    expect(html`<p>${items}${undefined}</p>`.toString()).toBe('<p><li>1</li><li>&lt;</li></p>');
  });

  it('takes nothing for markup that only looks like it', () => {
    const forged = { toString: () => '<b>' } as unknown as string;
    expect(() => html`${forged}`).toThrow(TypeError);
  });

  it('refuses an attribute without quotes, which a blank would leave', () => {
    expect(() => html`<p title=${'x onclick=alert(1)'}></p>`).toThrow('put quotes around the value: <p title=');
  });

  it('leaves nothing that opens a tag, ends an attribute or cannot be seen, whatever is put in', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom(...hostileTexts)), (text) => {
        expect(html`${text}`.toString()).not.toMatch(
          /[<>"'\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]|&(?!(amp|lt|gt|quot|#39);)/u,
        );
      }),
    );
  });

  it('shows what cannot be seen, and what would turn the writing direction', () => {
    expect(html`${'a\u202Eb\u200Bc\u0000d\uD800e\u{E0001}f'}`.toString()).toBe(
      'a\\u202eb\\u200bc\\u0000d\\ud800e\\ue0001f',
    );
    expect(html`${'two\r\nlines\tand a tab'}`.toString()).toBe('two lines and a tab');
    expect(html`${'größe 大小 🗄'}`.toString()).toBe('größe 大小 🗄');
  });

  it('cuts a text that would fill the page', () => {
    const text = html`${'x'.repeat(100_000)}`.toString();
    expect(text).toMatch(/^x{1000}…$/);
  });

  it('keeps the text of this program as it is where that is asked for', () => {
    expect(html`<p>${trustedHtml('<b>&nbsp;</b>')}</p>`.toString()).toBe('<p><b>&nbsp;</b></p>');
  });
});

describe('a hint', () => {
  it('has its commands set off, escaped like everything else', () => {
    expect(withCode('Run `a <b>` and `c`.').toString()).toBe('Run <code>a &lt;b&gt;</code> and <code>c</code>.');
  });

  it('keeps a backtick that has no partner', () => {
    expect(withCode('a ` b').toString()).toBe('a ` b');
  });
});
