import { describe, expect, it } from 'vitest';
import type { AgentStatus } from '../../../../src/agent/agent-status.ts';
import { renderStatusPage } from '../../../../src/agent/http/page/page.ts';
import { hugeStatus } from '../hostile-status.ts';
import { before, brokenStatus, emptyStatus, healthyStatus, now, sampleRepository } from '../sample-status.ts';

/** What a reader sees, one blank between words. */
function read(status: AgentStatus): string {
  return renderStatusPage(status)
    .replace(/<style>[\s\S]*<\/style>/, '')
    .replaceAll(/<title>[^<]*<\/title>/g, '')
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/ ([.,:;])/g, '$1');
}

const [primary] = healthyStatus().repositories;
const [etcd0] = healthyStatus().members.members;
if (primary === undefined || etcd0 === undefined) throw new Error('a sample without a repository or a member');

describe('the status page', () => {
  it('begins with whether it is safe, in a word and a sentence', () => {
    expect(read(healthyStatus())).toMatch(
      /production-eu As of 14:03:22 UTC, 2026-11-25\..* Safe Every repository holds/,
    );
  });

  it('tells what is wrong and what to do, right below', () => {
    expect(read(brokenStatus())).toContain(
      '3 things are wrong Danger: No backup has reached primary for 9 h 25 min; one an hour is expected. Check the endpoint and the network;',
    );
    expect(read(healthyStatus())).not.toMatch(/wrong|Danger|Warning/);
  });

  it('compares the age of the newest backup with the schedule', () => {
    expect(read(brokenStatus())).toMatch(/primary .* overdue 9h 25m since the newest backup expected every 1h/);
    expect(read(healthyStatus())).toMatch(/primary .* on time 25m since the newest backup expected every 1h/);
  });

  it.each([
    [{ expectedAgeSeconds: undefined }, 'nothing scheduled 25m since the newest backup 2026'],
    [{ newest: undefined }, 'no backup Newest verified'],
    [{ newest: undefined, listedAt: undefined }, 'not listed yet Newest verified'],
    [{ newestVerified: undefined, newestDrilled: undefined }, 'Newest verified none Newest drilled none'],
    [{ backups: { complete: 1, incomplete: 2, damaged: 3, held: 4 } }, '1 complete 4 held, 2 incomplete, 3 damaged'],
  ])('says of a repository with %o: %s', (changes, text) => {
    expect(read(healthyStatus({ repositories: [{ ...primary, ...changes }] }))).toContain(text);
  });

  it('calls nothing known that was never listed', () => {
    expect(read(emptyStatus())).toContain(
      'Newest verified not known Newest drilled not known Backups not known Stored not known',
    );
  });

  it('does not call a backup late that is of this moment, though clocks differ by seconds', () => {
    const newest =
      primary.newest === undefined ? undefined : { ...primary.newest, takenAt: new Date(now.getTime() + 5000) };
    expect(read(healthyStatus({ repositories: [{ ...primary, newest }] }))).toContain('on time just now since');
  });

  it('calls no repository on time whose figures are from long ago', () => {
    const error = { code: 'store-timeout', message: 'no answer', hint: '', since: before({ minutes: 18 }) };
    const outdated = { error, isOutdated: true, listedAt: before({ minutes: 20 }) };
    expect(read(healthyStatus({ repositories: [sampleRepository('primary', outdated)] }))).toMatch(
      /production not of now 25m .* no answer store-timeout, first 18m ago, last listed 20m ago/,
    );
  });

  it('shows why a listing failed and how old the figures are', () => {
    expect(read(brokenStatus())).toMatch(
      /ECONNREFUSED 10\.20\.30\.40:443 after 4 attempts .* store-unreachable, first 9h 0m ago, last listed 9h 0m ago/,
    );
  });

  it('shows size, use and quota of each member, and its alarms', () => {
    expect(read(brokenStatus())).toMatch(
      /etcd-0 leader etcd 3\.6\.16 Size 6\.90 GiB 86 % of quota In use 3\.20 GiB Quota 8\.00 GiB \(status\)/,
    );
    expect(read(brokenStatus())).toContain('The alarm NOSPACE is raised.');
    expect(read(brokenStatus())).toContain('unreachable Danger: https://10.0.0.12:2379: connection refused');
  });

  it('compares members without a quota with one another', () => {
    const members = [4, 2].map((size) => ({
      ...etcd0,
      dbSizeBytes: size * 2 ** 30,
      inUseBytes: 2 ** 30,
      quotaBytes: undefined,
      quotaText: 'unlimited',
    }));
    const page = renderStatusPage(
      healthyStatus({ members: { seenAt: now, error: undefined, isOutdated: false, members } }),
    );
    expect([...page.matchAll(/<rect class="reclaimable" width="([^"]*)"/g)].map(([, width]) => width)).toEqual([
      '100%',
      '50%',
    ]);
  });

  it('shows what runs, how far it is, and what is next', () => {
    const page = read(healthyStatus());
    expect(page).toContain('verify reading back from primary 77.2 MiB of 181.2 MiB (42 %), begun 3m ago');
    expect(page).toContain('backup in 35m 2026-11-25T14:38:22Z 38 * * * * UTC');
    expect(read(emptyStatus())).toContain('Nothing runs.');
    expect(read(emptyStatus())).toContain('Nothing is scheduled: this agent watches what others do.');
  });

  it.each([
    [undefined, undefined, 'begun 3m ago'],
    [1024, undefined, '1.00 KiB so far, begun 3m ago'],
    [1024, 0, '1.00 KiB so far, begun 3m ago'],
    [2048, 1024, '2.00 KiB of 1.00 KiB (100 %), begun 3m ago'],
  ])('tells of %s bytes of %s: %s', (doneBytes, totalBytes, text) => {
    const running = [{ job: 'backup', since: before({ minutes: 3 }), stage: '', doneBytes, totalBytes }] as const;
    expect(read(healthyStatus({ running }))).toContain(` backup ${text}`);
  });

  it('shows the last errors with their hints and how often they came', () => {
    expect(read(brokenStatus())).toMatch(
      /Last errors Warning: backup s3:.* Check the endpoint .* store-unreachable, 20m ago, 9 times in a row .* Bring the member back first\. defrag-refused, 5h 0m ago/,
    );
    expect(read(healthyStatus())).not.toContain('Last errors');
  });

  it('tells the timeline in words as well', () => {
    const page = read(brokenStatus());
    expect(page).toContain('2026-11-25 primary 9 failed, 5 backups, 1 verified, 1 pruned');
    expect(page).toContain('2026-11-25 the cluster 1 failed');
    expect(page).not.toContain('2026-11-24 the cluster');
    expect(page).toContain('2026-11-25T13:43:22Z failed primary: backup: s3:');
    expect(renderStatusPage(brokenStatus())).toContain(
      'aria-label="primary: 9 failed, 157 backups, 26 verified, 1 drilled, 7 pruned in 7 days"',
    );
  });

  it('stays small with thousands of events', () => {
    expect(hugeStatus().events).toHaveLength(3000);
    const page = renderStatusPage(hugeStatus());
    expect(page.length).toBeLessThan(300_000);
    expect(read(hugeStatus())).toContain('The newest 50 events');
  });

  it('loads nothing and runs nothing', () => {
    for (const status of [healthyStatus(), brokenStatus(), emptyStatus(), hugeStatus()]) {
      const page = renderStatusPage(status);
      // Whatever text it holds, only these tags and attributes are ever opened.
      const tags = new Set([...page.matchAll(/<([a-z][^\s/>]*)/g)].map(([, tag]) => tag));
      expect(
        [...tags].filter((tag) =>
          /^(script|img|iframe|link|object|embed|form|base|image|foreignObject)$/.test(tag ?? ''),
        ),
      ).toEqual([]);
      const opened = [...page.replaceAll(/"[^"]*"/g, '').matchAll(/<[a-z][^>]*>/g)];
      const attributes = opened.flatMap(([tag]) => tag.split(/\s+/).slice(1));
      expect(attributes.filter((name) => /^(on|style|src)/.test(name))).toEqual([]);
      const links = [...page.matchAll(/href="([^"]*)"/g)].map(([, link]) => link ?? '');
      expect(links.filter((link) => !/^(\.\/[\w/]*|#mark-\w+)$/.test(link))).toEqual([]);
    }
  });
});
