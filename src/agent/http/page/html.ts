import { toVisibleText } from './visible-text.ts';

/** Markup that is safe to send. Only `html` and `trustedHtml` make it, so nothing gets onto a page without being escaped. */
class Html {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

export type { Html };

/** undefined: nothing. */
export type HtmlPart = Html | string | number | undefined | readonly HtmlPart[];

/**
 * `` html`<p title="${name}">${name}</p>` ``: every text put in is escaped for text and for attributes in quotes; markup made
 * by `html` is not escaped again. An attribute without quotes could be left with a blank, so it is refused.
 */
export function html(markup: TemplateStringsArray, ...parts: readonly HtmlPart[]): Html {
  let text = markup[0] ?? '';
  for (const [index, part] of parts.entries()) {
    if (/=\s*$/.test(markup[index] ?? '')) throw new TypeError(`put quotes around the value: ${markup[index]}`);
    text += renderPart(part) + (markup[index + 1] ?? '');
  }
  return new Html(text);
}

/** For text that this program holds itself, such as its style; never for anything that came from elsewhere. */
export function trustedHtml(text: string): Html {
  return new Html(text);
}

function renderPart(part: HtmlPart): string {
  if (part === undefined) return '';
  if (part instanceof Html) return part.toString();
  if (typeof part === 'object') return part.map(renderPart).join('');
  return escapeHtml(toVisibleText(String(part)));
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? '');
}
