import { formatAge, formatTime } from '../../../format.ts';
import { type Html, html } from './html.ts';

const minuteMs = 60_000;

/** `3d 4h ago`, with the whole time for machines and for whoever points at it. */
export function ago(time: Date, now: Date): Html {
  return timeElement(time, agoText(time, now));
}

/** `25m`: the same without the last word, for a sentence that has its own. */
export function age(time: Date, now: Date): Html {
  return timeElement(time, ageText(time, now));
}

/** `in 25m`, or `now` for what is due. */
export function until(time: Date, now: Date): Html {
  return timeElement(time, time.getTime() - now.getTime() < minuteMs ? 'now' : `in ${formatAge(now, time)}`);
}

/** `1h`, `1d 12h`: a length of time without a second unit that is zero. */
export function formatSpan(seconds: number): string {
  if (seconds < 60) return `${Math.round(seconds)}s`;
  return formatAge(new Date(0), new Date(seconds * 1000)).replace(/ 0[hm]$/, '');
}

/** `14:03:22`, in UTC. */
export function clockTime(time: Date): string {
  return time.toISOString().slice(11, 19);
}

/** `2026-11-24`, in UTC. */
export function calendarDay(time: Date): string {
  return time.toISOString().slice(0, 10);
}

function agoText(time: Date, now: Date): string {
  const text = ageText(time, now);
  return text.startsWith('in the') || text === 'just now' ? text : `${text} ago`;
}

/** Clocks of several machines are never quite the same. */
function ageText(time: Date, now: Date): string {
  return Math.abs(now.getTime() - time.getTime()) < minuteMs ? 'just now' : formatAge(time, now);
}

function timeElement(time: Date, text: string): Html {
  return html`<time datetime="${formatTime(time)}" title="${formatTime(time)}">${text}</time>`;
}
