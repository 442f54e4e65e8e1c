import type { AgentEvent, AgentStatus } from '../../agent-status.ts';
import { percent } from './bar.ts';
import { describeCounts, type EventCounts, eventKinds, type EventKind, eventWords } from './event-words.ts';
import { dayTable, newestEvents } from './timeline-in-words.ts';
import { type Html, html } from './html.ts';
import { calendarDay } from './times.ts';
import {
  bucketCount,
  bucketHours,
  bucketStart,
  daysOf,
  layOutTimeline,
  type Timeline,
  timelineDays,
  type TimelineRow,
} from './timeline-rows.ts';

/** What the last days were like at a glance, then the same in words. */
export function timelineSection({ events, repositories, now }: AgentStatus): Html {
  const timeline = layOutTimeline(
    events,
    repositories.map(({ name }) => name),
    now,
  );
  const isEmpty = timeline.rows.every(({ total }) => total.size === 0);
  return html`<section aria-labelledby="timeline">
    <h2 id="timeline">The last ${timelineDays} days</h2>
    ${isEmpty ? html`<p class="card empty">Nothing has happened yet, as far as this agent knows.</p>` : drawing(timeline, events)}
  </section>`;
}

function drawing(timeline: Timeline, events: readonly AgentEvent[]): Html {
  return html`<div class="card timeline">
    ${shapes} ${timeline.rows.map((row) => drawRow(row, timeline))}
    <div class="row axis" aria-hidden="true"><span></span>${axis(timeline)}</div>
    ${legend(timeline)} ${dayTable(timeline)} ${newestEvents(events)}
  </div>`;
}

/** Drawn around 0,0 and put in place by `use`. Each kind has a shape of its own. */
const shapes = html`<svg class="unseen" aria-hidden="true">
  <defs>
    <path id="mark-failed" d="M-3.2-3.2 3.2 3.2M3.2-3.2-3.2 3.2" />
    <path id="mark-damaged" d="M0-4.4 4.6 3.8H-4.6z" />
    <path id="mark-backup" d="M-1.5-6.5h3v13h-3z" />
    <circle id="mark-verified" r="2.9" />
    <path id="mark-drilled" d="M0-4.4 4.4 0 0 4.4-4.4 0z" />
    <path id="mark-defragmented" d="M-3.2-3.2h6.4v6.4h-6.4z" />
    <path id="mark-pruned" d="M-3 0h6" />
  </defs>
</svg>`;

/** Kinds that often come together lie one above the other. */
const heights: Readonly<Record<EventKind, number>> = {
  failed: 9,
  damaged: 17,
  backup: 30,
  verified: 43,
  drilled: 43,
  defragmented: 30,
  pruned: 51,
};

function drawRow(row: TimelineRow, timeline: Timeline): Html {
  const name = row.repository === undefined ? 'the cluster' : row.repository;
  const summary = describeCounts(row.total);
  return html`<div class="row">
    <p><bdi class="name" title="${name}">${name}</bdi> ${inShort(row.total)}</p>
    <svg role="img" aria-label="${name}: ${summary} in ${timelineDays} days">
      ${dayLines(timeline)}${[...row.buckets].map(([bucket, counts]) => drawBucket(bucket, counts, timeline))}
    </svg>
  </div>`;
}

/** What went wrong, and how often it went right. */
function inShort(counts: EventCounts): Html {
  const [failed = 0, damaged = 0, backups = 0] = (['failed', 'damaged', 'backup'] as const).map((kind) =>
    counts.get(kind),
  );
  if (failed + damaged + backups === 0) return html`<small>${describeCounts(counts)}</small>`;
  return html`<small>
    ${backups > 0 ? `${backups} backup${backups === 1 ? '' : 's'}` : undefined}
    ${failed > 0 ? html`<span class="danger">${failed} failed</span>` : undefined}
    ${damaged > 0 ? html`<span class="danger">${damaged} damaged</span>` : undefined}
  </small>`;
}

function drawBucket(bucket: number, counts: EventCounts, timeline: Timeline): Html {
  const start = bucketStart(timeline, bucket);
  const title = `${calendarDay(start)} from ${start.toISOString().slice(11, 16)} UTC: ${describeCounts(counts)}`;
  const x = percent((bucket + 0.5) / bucketCount);
  // What went wrong is drawn last, over everything else.
  const kinds = eventKinds.filter((kind) => counts.has(kind)).reverse();
  return html`<g
    ><title>${title}</title>${kinds.map(
      (kind) => html`<use href="#mark-${kind}" class="${kind}" x="${x}" y="${heights[kind]}" />`,
    )}</g
  >`;
}

function dayLines(timeline: Timeline): Html[] {
  return daysOf(timeline)
    .slice(1)
    .map(({ first }) => percent(first / bucketCount))
    .map((x) => html`<line x1="${x}" x2="${x}" y1="0" y2="100%" />`);
}

const weekday = new Intl.DateTimeFormat('en-GB', { weekday: 'short', timeZone: 'UTC' });

function axis(timeline: Timeline): Html {
  const wide = daysOf(timeline).filter(({ first, end }) => (end - first) / bucketCount > 0.09);
  return html`<svg>
    ${wide.map(({ first, end }) => {
      const day = bucketStart(timeline, first);
      const x = percent((first + end) / 2 / bucketCount);
      return html`<text x="${x}" y="13"
        ><tspan class="weekday">${weekday.format(day)} </tspan>${day.getUTCDate()}</text
      >`;
    })}
  </svg>`;
}

function legend({ rows }: Timeline): Html {
  const seen = eventKinds.filter((kind) => rows.some(({ total }) => total.has(kind)));
  return html`<ul class="legend">
    ${seen.map(
      (kind) =>
        html`<li>
          <svg aria-hidden="true"><use href="#mark-${kind}" class="${kind}" x="50%" y="50%" /></svg>${eventWords[kind]}
        </li>`,
    )}
    <li>one mark for ${bucketHours} hours, in UTC</li>
  </ul>`;
}
