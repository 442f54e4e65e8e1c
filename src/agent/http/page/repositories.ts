import type { AgentStatus, BackupState, RepositoryState } from '../../agent-status.ts';
import { formatBytes } from '../../../format.ts';
import { isOverdue } from '../../overdue.ts';
import { bar } from './bar.ts';
import { type Fact, factList } from './facts.ts';
import { type Html, html } from './html.ts';
import { type Level, levelWord } from './level-mark.ts';
import { age, ago, formatSpan } from './times.ts';
import { troubleBox } from './trouble.ts';

export function repositoriesSection({ repositories, now }: AgentStatus): Html {
  return html`<section aria-labelledby="repositories">
    <h2 id="repositories">Repositories</h2>
    ${repositories.length === 0 ? html`<p class="card empty">No repository is configured.</p>` : undefined}
    <div class="cards">${repositories.map((repository) => repositoryCard(repository, now))}</div>
  </section>`;
}

function repositoryCard(repository: RepositoryState, now: Date): Html {
  const { name, location, error, listedAt } = repository;
  const standing = standingOf(repository, now);
  return html`<article class="card">
    <header>
      <div>
        <h3><bdi class="name" title="${name}">${name}</bdi></h3>
        <p class="where"><bdi class="name" title="${location}">${location}</bdi></p>
      </div>
      ${levelWord(standing.level, standing.word)}
    </header>
    ${newestBackup(repository, standing.level, now)} ${factList(factsOf(repository, now))}
    ${
      error === undefined
        ? undefined
        : troubleBox({
            level: 'danger',
            text: error.message,
            hint: error.hint,
            note: html`${error.code}, first ${ago(error.since, now)},
            ${listedAt === undefined ? 'never listed before' : html`last listed ${ago(listedAt, now)}`}`,
          })
    }
  </article>`;
}

interface Standing {
  readonly level: Level;
  readonly word: string;
}

function standingOf(repository: RepositoryState, now: Date): Standing {
  const { newest, listedAt, isOutdated, expectedAgeSeconds } = repository;
  if (newest === undefined) {
    return listedAt === undefined
      ? { level: 'unknown', word: 'not listed yet' }
      : { level: 'danger', word: 'no backup' };
  }
  if (isOverdue(repository, now)) return { level: 'danger', word: 'overdue' };
  if (isOutdated) return { level: 'unknown', word: 'not of now' };
  if (expectedAgeSeconds === undefined) return { level: 'unknown', word: 'nothing scheduled' };
  return { level: 'safe', word: 'on time' };
}

function newestBackup({ newest, expectedAgeSeconds }: RepositoryState, level: Level, now: Date): Html | undefined {
  if (newest === undefined) return undefined;
  const isLate = level === 'danger';
  return html`<div class="age">
    <p><strong>${age(newest.takenAt, now)}</strong> since the newest backup</p>
    ${
      expectedAgeSeconds === undefined
        ? undefined
        : bar({ fraction: ageSeconds(newest, now) / expectedAgeSeconds, className: isLate ? 'late' : 'fill' })
    }
    <p class="under">
      ${expectedAgeSeconds === undefined ? undefined : html`<span class="note">expected every ${formatSpan(expectedAgeSeconds)}</span>`}
      <bdi class="id">${newest.id}</bdi>
    </p>
  </div>`;
}

function ageSeconds({ takenAt }: BackupState, now: Date): number {
  return (now.getTime() - takenAt.getTime()) / 1000;
}

function factsOf(repository: RepositoryState, now: Date): Fact[] {
  const { newestVerified, newestDrilled, backups, storedBytes, listedAt, error } = repository;
  const isKnown = listedAt !== undefined;
  const readBackAt = newestVerified?.verifiedAt;
  const others = [
    ...(backups.held > 0 ? [html`${backups.held} held`] : []),
    ...(backups.incomplete > 0 ? [html`${backups.incomplete} incomplete`] : []),
    ...(backups.damaged > 0 ? [html`<span class="danger">${backups.damaged} damaged</span>`] : []),
  ];
  const none = isKnown ? 'none' : 'not known';
  return [
    {
      label: 'Newest verified',
      value: newestVerified === undefined ? none : ago(newestVerified.takenAt, now),
      note: readBackAt === undefined ? undefined : html`read back ${ago(readBackAt, now)}`,
    },
    { label: 'Newest drilled', value: newestDrilled === undefined ? none : ago(newestDrilled.takenAt, now) },
    {
      label: 'Backups',
      value: isKnown ? `${backups.complete} complete` : 'not known',
      note: others.length === 0 ? undefined : others.map((text, index) => (index === 0 ? text : html`, ${text}`)),
    },
    {
      label: 'Stored',
      value: isKnown ? formatBytes(storedBytes) : 'not known',
      note: !isKnown || error !== undefined ? undefined : html`listed ${ago(listedAt, now)}`,
    },
  ];
}
