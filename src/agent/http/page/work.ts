import type { AgentStatus, JobFailure, RunningJob } from '../../agent-status.ts';
import { formatBytes, formatTime } from '../../../format.ts';
import { bar } from './bar.ts';
import { type Html, html } from './html.ts';
import { ago, until } from './times.ts';
import { troubleBox } from './trouble.ts';

/** What runs now, and what is next. */
export function workSection({ running, schedule, now }: AgentStatus): Html {
  return html`<div class="pair">
    <section aria-labelledby="now">
      <h2 id="now">Now</h2>
      <div class="card">
        ${
          running.length === 0
            ? html`<p class="empty">Nothing runs.</p>`
            : html`<ul class="plain">
                ${running.map((job) => runningItem(job, now))}
              </ul>`
        }
      </div>
    </section>
    <section aria-labelledby="next">
      <h2 id="next">Next</h2>
      <div class="card">
        ${
          schedule.length === 0
            ? html`<p class="empty">Nothing is scheduled: this agent watches what others do.</p>`
            : html`<ul class="plain rows schedule">
                ${schedule.map(
                  ({ job, nextAt, cron, timeZone }) =>
                    html`<li>
                      <b>${job}</b> <span>${until(nextAt, now)}</span> <small>${formatTime(nextAt)}</small>
                      <small><code>${cron}</code> <bdi>${timeZone}</bdi></small>
                    </li>`,
                )}
              </ul>`
        }
      </div>
    </section>
  </div>`;
}

function runningItem({ job, since, stage, doneBytes, totalBytes }: RunningJob, now: Date): Html {
  const isMeasured = doneBytes !== undefined && totalBytes !== undefined && totalBytes > 0;
  return html`<li class="running">
    <p><b>${job}</b>${stage === '' ? undefined : html` <bdi>${stage}</bdi>`}</p>
    ${isMeasured ? bar({ fraction: doneBytes / totalBytes, className: 'fill' }) : undefined}
    <p class="note">
      ${doneBytes === undefined ? undefined : `${describeProgress(doneBytes, totalBytes)}, `}begun ${ago(since, now)}
    </p>
  </li>`;
}

function describeProgress(doneBytes: number, totalBytes: number | undefined): string {
  if (totalBytes === undefined || totalBytes === 0) return `${formatBytes(doneBytes)} so far`;
  const percent = Math.min(100, Math.floor((doneBytes / totalBytes) * 100));
  return `${formatBytes(doneBytes)} of ${formatBytes(totalBytes)} (${percent} %)`;
}

/** The newest failure of each job, also of one that went well since. */
export function lastErrorsSection({ lastErrors, now }: AgentStatus): Html | undefined {
  if (lastErrors.length === 0) return undefined;
  return html`<section aria-labelledby="errors">
    <h2 id="errors">Last errors</h2>
    <ul class="plain card rows">
      ${lastErrors.map((failure) => html`<li>${failureBox(failure, now)}</li>`)}
    </ul>
  </section>`;
}

function failureBox({ job, at, code, message, hint, times }: JobFailure, now: Date): Html {
  return troubleBox({
    level: 'warning',
    text: html`<b>${job}</b> <bdi>${message}</bdi>`,
    hint,
    note: html`${code}, ${ago(at, now)}${times > 1 ? `, ${times} times in a row` : undefined}`,
  });
}
