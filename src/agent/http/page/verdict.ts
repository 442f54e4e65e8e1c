import type { AgentStatus, Problem, Verdict } from '../../agent-status.ts';
import { type Html, html } from './html.ts';
import { levelMark } from './level-mark.ts';
import { troubleBox } from './trouble.ts';

const words: Readonly<Record<Verdict['level'], string>> = {
  safe: 'Safe',
  warning: 'Needs attention',
  danger: 'Danger',
  unknown: 'Not known yet',
};

export function verdictWord({ level }: Verdict): string {
  return words[level];
}

/** The one thing that an operator opens the page for: is it safe now, and what to do if it is not. */
export function verdictSection({ verdict, problems }: AgentStatus): Html {
  return html`<section class="verdict ${verdict.level}" aria-labelledby="verdict">
      ${levelMark(verdict.level)}
      <div>
        <h2 id="verdict">${verdictWord(verdict)}</h2>
        <p>${verdict.sentence}</p>
      </div>
    </section>
    ${problems.length === 0 ? undefined : problemList(problems)}`;
}

function problemList(problems: readonly Problem[]): Html {
  return html`<section aria-labelledby="problems">
    <h2 id="problems">${problems.length === 1 ? 'One thing is wrong' : `${problems.length} things are wrong`}</h2>
    <ul class="plain card rows">
      ${problems.map((problem) => html`<li>${troubleBox(problem)}</li>`)}
    </ul>
  </section>`;
}
