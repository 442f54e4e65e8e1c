import { type Html, html, type HtmlPart } from './html.ts';

export interface Fact {
  readonly label: string;
  readonly value: HtmlPart;
  /** In smaller letters below. */
  readonly note?: HtmlPart;
}

/** Labels over values, side by side where there is room. */
export function factList(facts: readonly Fact[]): Html {
  return html`<dl class="facts">
    ${facts.map(
      ({ label, value, note }) =>
        html`<div>
          <dt>${label}</dt>
          <dd>${value}${note === undefined ? undefined : html` <small>${note}</small>`}</dd>
        </div>`,
    )}
  </dl>`;
}
