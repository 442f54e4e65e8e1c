import type { AgentStatus } from '../../agent-status.ts';
import { formatTime } from '../../../format.ts';
import { type Html, html, trustedHtml } from './html.ts';
import { membersSection } from './members.ts';
import { repositoriesSection } from './repositories.ts';
import { pageStyle } from './style.ts';
import { timelineSection } from './timeline.ts';
import { ago, calendarDay, clockTime } from './times.ts';
import { verdictSection, verdictWord } from './verdict.ts';
import { lastErrorsSection, workSection } from './work.ts';

/**
 * One document with everything in it: no script, no asset, nothing that another server could see. It does not load itself
 * anew, because that would take the page from under whoever reads it; it says of when it is.
 */
export function renderStatusPage(status: AgentStatus): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${verdictWord(status.verdict)}: ${status.cluster} | etcd-warden</title>
        ${trustedHtml(`<style>${pageStyle}</style>`)}
      </head>
      <body>
        ${pageHeader(status)}
        <main>
          ${verdictSection(status)} ${repositoriesSection(status)} ${timelineSection(status)} ${membersSection(status)}
          ${workSection(status)} ${lastErrorsSection(status)}
        </main>
        ${pageFooter(status)}
      </body>
    </html> `.toString();
}

/** The link is relative, so that it holds behind a proxy that puts a path in front. */
function pageHeader({ cluster, now }: AgentStatus): Html {
  return html`<header class="top">
    <h1><span>etcd cluster</span> <bdi>${cluster}</bdi></h1>
    <p>
      As of <time datetime="${formatTime(now)}">${clockTime(now)} UTC</time>, ${calendarDay(now)}.
      <span class="reload"><a href="./">Reload</a> for newer.</span>
    </p>
  </header>`;
}

function pageFooter({ version, startedAt, now }: AgentStatus): Html {
  return html`<footer>
    <p>etcd-warden ${version}, started ${ago(startedAt, now)}. Nothing on this page changes anything.</p>
    <nav aria-label="Other views">
      <a href="./api/status">Status as JSON</a> <a href="./metrics">Metrics</a> <a href="./readyz">Health</a>
    </nav>
  </footer>`;
}
