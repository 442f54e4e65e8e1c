import type { AgentEvent } from '../../agent-status.ts';
import { formatTime } from '../../../format.ts';
import { describeCounts, eventWords } from './event-words.ts';
import { type Html, html } from './html.ts';
import { calendarDay } from './times.ts';
import { bucketStart, countBetween, daysOf, type Timeline } from './timeline-rows.ts';

/** Enough to see how it came about; `/api/status` has all of them. */
const maxListed = 50;

/** The drawing as a table: for whoever cannot see it, and for whoever wants numbers. Newest day first. */
export function dayTable(timeline: Timeline): Html {
  const days = daysOf(timeline).toReversed();
  return html`<details>
    <summary>The same as a table</summary>
    <table>
      <thead>
        <tr>
          <th scope="col">Day</th>
          <th scope="col">Where</th>
          <th scope="col">What</th>
        </tr>
      </thead>
      <tbody>
        ${days.map((day) => dayRows(timeline, day))}
      </tbody>
    </table>
  </details>`;
}

/** A day on which a repository got nothing is worth a row; one on which nothing else happened is not. */
function dayRows(timeline: Timeline, { first, end }: { readonly first: number; readonly end: number }): Html[] {
  const day = calendarDay(bucketStart(timeline, first));
  return timeline.rows.flatMap((row) => {
    const counts = countBetween(row, first, end);
    if (row.repository === undefined && counts.size === 0) return [];
    return [
      html`<tr>
        <th scope="row">${day}</th>
        <td><bdi>${row.repository ?? 'the cluster'}</bdi></td>
        <td>${describeCounts(counts)}</td>
      </tr>`,
    ];
  });
}

export function newestEvents(events: readonly AgentEvent[]): Html {
  const listed = events.slice(0, maxListed);
  const title = listed.length < events.length ? `The newest ${listed.length} events` : `All ${listed.length} events`;
  return html`<details>
    <summary>${title}</summary>
    <ol class="plain events">
      ${listed.map(
        ({ at, kind, repository, text }) =>
          html`<li class="${kind}">
            <time datetime="${formatTime(at)}">${formatTime(at)}</time> <b>${eventWords[kind]}</b>
            <span>${repository === undefined ? undefined : html`<bdi>${repository}</bdi>: `}<bdi>${text}</bdi></span>
          </li>`,
      )}
    </ol>
  </details>`;
}
