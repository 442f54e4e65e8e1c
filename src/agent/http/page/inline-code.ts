import { type Html, html } from './html.ts';

/** A sentence in which commands and names stand between backticks, as hints have them. */
export function withCode(text: string): Html {
  const pieces = text.split('`');
  // A backtick that has no partner is a character like any other.
  if (pieces.length % 2 === 0) return html`${text}`;
  return html`${pieces.map((piece, index) => (index % 2 === 0 ? piece : html`<code>${piece}</code>`))}`;
}
