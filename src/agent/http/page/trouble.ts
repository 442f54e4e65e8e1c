import { type Html, html, type HtmlPart } from './html.ts';
import { withCode } from './inline-code.ts';
import { type Level, levelMark } from './level-mark.ts';

export interface Trouble {
  readonly level: Extract<Level, 'warning' | 'danger'>;
  readonly text: HtmlPart;
  /** The operator's next step; empty for none. */
  readonly hint?: string;
  /** What kind of error it is and when it came, in smaller letters. */
  readonly note?: HtmlPart;
}

/** What is wrong and what to do about it. */
export function troubleBox({ level, text, hint = '', note }: Trouble): Html {
  return html`<div class="trouble ${level}">
    ${levelMark(level)}
    <div>
      <p><span class="unseen">${level === 'danger' ? 'Danger: ' : 'Warning: '}</span>${text}</p>
      ${
        hint === '' ? undefined : html`<p class="hint">${withCode(hint)}</p>`
      }${note === undefined ? undefined : html`<p class="note">${note}</p>`}
    </div>
  </div>`;
}
