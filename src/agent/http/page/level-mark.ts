import { type Html, html } from './html.ts';

/** How a thing stands. Never told by colour alone: each level has a shape of its own, and stands beside a word. */
export type Level = 'safe' | 'warning' | 'danger' | 'unknown';

const shapes: Readonly<Record<Level, Html>> = {
  safe: html`<circle cx="12" cy="12" r="11" /><path class="cut" d="M6.8 12.4l3.5 3.6 7-7.6" />`,
  warning: html`<path d="M12 1.6 23.4 21.6H.6z" stroke-linejoin="round" /><path
      class="cut"
      d="M12 9v6.2M12 18.4v.2"
    />`,
  danger: html`<path d="M7.4.9h9.2l6.5 6.5v9.2l-6.5 6.5H7.4L.9 16.6V7.4z" /><path
      class="cut"
      d="M8 8l8 8M16 8l-8 8"
    />`,
  unknown: html`<circle class="open" cx="12" cy="12" r="10" /><path
      class="stroke"
      d="M9 9.4a3 3 0 1 1 4.6 2.6c-1 .7-1.6 1.2-1.6 2.4M12 17.3v.2"
    />`,
};

/** Decoration: the word beside it says the same. */
export function levelMark(level: Level): Html {
  return html`<svg class="mark ${level}" viewBox="0 0 24 24" aria-hidden="true">${shapes[level]}</svg>`;
}

/** A mark with its word, in the colour of the level. */
export function levelWord(level: Level, word: string): Html {
  return html`<span class="level ${level}">${levelMark(level)}${word}</span>`;
}
