import type { AgentStatus, MemberState } from '../../agent-status.ts';
import { formatBytes } from '../../../format.ts';
import { bar } from './bar.ts';
import { type Fact, factList } from './facts.ts';
import { type Html, html } from './html.ts';
import { levelWord } from './level-mark.ts';
import { ago } from './times.ts';
import { troubleBox } from './trouble.ts';

export function membersSection({ members: { seenAt, error, members }, now }: AgentStatus): Html {
  const largestBytes = Math.max(0, ...members.map(({ dbSizeBytes }) => dbSizeBytes ?? 0));
  return html`<section aria-labelledby="members">
    <h2 id="members">Members of etcd</h2>
    ${error === undefined ? undefined : troubleBox({ level: 'danger', text: error.message, hint: error.hint, note: html`${error.code}, first ${ago(error.since, now)}` })}
    ${
      members.length === 0
        ? html`<p class="card empty">
            ${seenAt === undefined ? 'Nobody has looked at them yet.' : 'No member is known.'}
          </p>`
        : html`<ul class="plain card rows members">
              ${members.map((member) => memberItem(member, largestBytes))}
            </ul>
            <ul class="legend">
              <li><i class="in-use"></i>in use</li>
              <li><i class="reclaimable"></i>reclaimable by defragmentation</li>
              <li><i class="free"></i>free up to the quota</li>
              ${seenAt === undefined ? undefined : html`<li>seen ${ago(seenAt, now)}</li>`}
            </ul>`
    }
  </section>`;
}

function memberItem(member: MemberState, largestBytes: number): Html {
  const { name, version, dbSizeBytes, inUseBytes, quotaBytes, alarms, trouble } = member;
  // Without a quota members are compared with each other.
  const wholeBytes = quotaBytes ?? largestBytes;
  return html`<li>
    <div class="who">
      <h3><bdi class="name" title="${name}">${name}</bdi></h3>
      <p>
        ${roleOf(member)}${version === undefined ? undefined : html` <span class="note name">etcd ${version}</span>`}
      </p>
    </div>
    ${
      dbSizeBytes === undefined
        ? undefined
        : html`<div class="size">
            ${bar(
              { fraction: dbSizeBytes / wholeBytes, className: 'reclaimable' },
              { fraction: (inUseBytes ?? 0) / wholeBytes, className: 'in-use' },
            )}
            ${factList(sizeFacts(member, dbSizeBytes))}
          </div>`
    }
    ${alarms.map((alarm) => troubleBox({ level: 'danger', text: `The alarm ${alarm} is raised.` }))}
    ${trouble === undefined ? undefined : troubleBox({ level: member.role === 'unreachable' ? 'danger' : 'warning', text: trouble })}
  </li>`;
}

function roleOf({ role }: MemberState): Html {
  if (role === 'unreachable') return levelWord('danger', role);
  if (role === 'unstarted') return levelWord('unknown', 'not started');
  return html`<span class="role ${role}">${role}</span>`;
}

function sizeFacts({ inUseBytes, quotaBytes, quotaText }: MemberState, dbSizeBytes: number): Fact[] {
  return [
    {
      label: 'Size',
      value: formatBytes(dbSizeBytes),
      note: quotaBytes === undefined ? undefined : share(dbSizeBytes, quotaBytes),
    },
    { label: 'In use', value: inUseBytes === undefined ? 'not known' : formatBytes(inUseBytes) },
    { label: 'Quota', value: html`<bdi>${quotaText}</bdi>` },
  ];
}

function share(bytes: number, quotaBytes: number): string {
  return `${Math.floor((bytes / quotaBytes) * 100)} % of quota`;
}
