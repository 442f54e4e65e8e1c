import type {
  AgentEvent,
  AgentStatus,
  BackupState,
  MemberState,
  RepositoryState,
} from '../../../src/agent/agent-status.ts';

export const now = new Date('2026-11-25T14:03:22Z');
const GiB = 1024 ** 3;

/** A moment before `now`. */
export function before({
  days = 0,
  hours = 0,
  minutes = 0,
}: {
  days?: number;
  hours?: number;
  minutes?: number;
}): Date {
  return new Date(now.getTime() - ((days * 24 + hours) * 60 + minutes) * 60_000);
}

export function sampleBackup(takenAt: Date, verifiedAt?: Date): BackupState {
  const stamp = takenAt.toISOString().replaceAll(/[-:]|\.\d+/g, '');
  return { id: `${stamp}-r228678-k3f9x2qa`, takenAt, revision: '228678', storedBytes: 190_000_000, verifiedAt };
}

export function sampleRepository(name: string, changes: Partial<RepositoryState> = {}): RepositoryState {
  return {
    name,
    location: `s3://acme-etcd-backups-${name}/production`,
    listedAt: before({ minutes: 2 }),
    error: undefined,
    isOutdated: false,
    newest: sampleBackup(before({ minutes: 25 }), before({ minutes: 12 })),
    newestVerified: sampleBackup(before({ minutes: 25 }), before({ minutes: 12 })),
    newestDrilled: sampleBackup(before({ days: 2, hours: 11 })),
    expectedAgeSeconds: 3600,
    backups: { complete: 71, incomplete: 0, damaged: 0, held: 1 },
    storedBytes: 12.6 * GiB,
    ...changes,
  };
}

export function sampleMember(name: string, changes: Partial<MemberState> = {}): MemberState {
  return {
    name,
    role: 'follower',
    version: '3.6.16',
    dbSizeBytes: 2.41 * GiB,
    inUseBytes: 1.92 * GiB,
    quotaBytes: 8 * GiB,
    quotaText: '8.00 GiB (status)',
    alarms: [],
    trouble: undefined,
    ...changes,
  };
}

/** What an hourly schedule leaves behind in seven days. */
function weekOf(name: string): AgentEvent[] {
  const events: AgentEvent[] = [];
  for (let hour = 0; hour < 24 * 7; hour += 1) {
    const at = before({ hours: hour, minutes: 25 });
    const { id } = sampleBackup(at);
    events.push({ at, kind: 'backup', repository: name, text: id });
    if (hour % 6 === 0)
      events.push({ at: new Date(at.getTime() + 780_000), kind: 'verified', repository: name, text: id });
    if (hour % 24 === 11)
      events.push({ at: new Date(at.getTime() + 900_000), kind: 'pruned', repository: name, text: '24 backups' });
    if (hour === 59) events.push({ at: new Date(at.getTime() + 960_000), kind: 'drilled', repository: name, text: id });
  }
  return events;
}

function newestFirst(events: readonly AgentEvent[]): AgentEvent[] {
  return events.toSorted((a, b) => b.at.getTime() - a.at.getTime());
}

export function healthyStatus(changes: Partial<AgentStatus> = {}): AgentStatus {
  return {
    cluster: 'production-eu',
    version: '0.1.0',
    startedAt: before({ days: 12, hours: 3 }),
    now,
    verdict: {
      level: 'safe',
      sentence: 'Every repository holds a verified backup that is recent enough, and all 3 members are well.',
    },
    problems: [],
    repositories: [
      sampleRepository('primary'),
      sampleRepository('offsite', { location: '/var/backups/etcd/production', storedBytes: 9.8 * GiB }),
    ],
    members: {
      seenAt: before({ minutes: 1 }),
      error: undefined,
      isOutdated: false,
      members: [
        sampleMember('etcd-0', { role: 'leader', dbSizeBytes: 2.45 * GiB }),
        sampleMember('etcd-1'),
        sampleMember('etcd-2', { dbSizeBytes: 1.98 * GiB, inUseBytes: 1.91 * GiB }),
      ],
    },
    events: newestFirst([
      ...weekOf('primary'),
      ...weekOf('offsite'),
      {
        at: before({ days: 3, hours: 8 }),
        kind: 'defragmented',
        repository: undefined,
        text: 'etcd-2: 3.10 GiB to 1.98 GiB',
      },
    ]),
    running: [
      {
        job: 'verify',
        since: before({ minutes: 3 }),
        stage: 'reading back from primary',
        doneBytes: 81_000_000,
        totalBytes: 190_000_000,
      },
    ],
    schedule: [
      { job: 'backup', nextAt: new Date('2026-11-25T14:38:22Z'), cron: '38 * * * *', timeZone: 'UTC' },
      { job: 'prune', nextAt: new Date('2026-11-26T02:40:00Z'), cron: '40 2 * * *', timeZone: 'UTC' },
      { job: 'drill', nextAt: new Date('2026-11-30T03:15:00Z'), cron: '15 4 * * MON', timeZone: 'Europe/Berlin' },
    ],
    lastErrors: [],
    refusedReload: undefined,
    ...changes,
  };
}

export function brokenStatus(): AgentStatus {
  const storeDown = {
    code: 'store-unreachable',
    message: 's3://acme-etcd-backups-primary: connect ECONNREFUSED 10.20.30.40:443 after 4 attempts',
    hint: 'Check the endpoint and the network; a proxy is set with aws.proxy or HTTPS_PROXY.',
  };
  const isBeforeOutage = ({ at, repository: name }: AgentEvent): boolean =>
    name !== 'primary' || at < before({ hours: 9 });
  const failures = Array.from({ length: 9 }, (_, hour): AgentEvent => ({
    at: before({ hours: hour, minutes: 20 }),
    kind: 'failed',
    repository: 'primary',
    text: `backup: ${storeDown.message}`,
  }));
  return healthyStatus({
    verdict: {
      level: 'danger',
      sentence: 'The newest backup in primary is 9 h old, and etcd-1 raises the alarm NOSPACE.',
    },
    problems: [
      {
        level: 'danger',
        text: 'No backup has reached primary for 9 h 25 min; one an hour is expected.',
        hint: storeDown.hint,
      },
      {
        level: 'danger',
        text: 'etcd-1 raises NOSPACE: the cluster takes no writes.',
        hint: 'Run `etcd-warden defrag --disarm` once space is free.',
      },
      {
        level: 'warning',
        text: 'One backup in offsite is damaged.',
        hint: 'See `etcd-warden list --repository offsite`; it is not counted and never chosen.',
      },
    ],
    repositories: [
      sampleRepository('primary', {
        listedAt: before({ hours: 9 }),
        error: { ...storeDown, since: before({ hours: 9 }) },
        isOutdated: true,
        newest: sampleBackup(before({ hours: 9, minutes: 25 }), before({ hours: 9, minutes: 12 })),
        newestVerified: sampleBackup(before({ hours: 9, minutes: 25 }), before({ hours: 9, minutes: 12 })),
      }),
      sampleRepository('offsite', {
        backups: { complete: 69, incomplete: 2, damaged: 1, held: 0 },
        newestDrilled: undefined,
      }),
    ],
    members: {
      seenAt: before({ minutes: 1 }),
      error: undefined,
      isOutdated: false,
      members: [
        sampleMember('etcd-0', { role: 'leader', dbSizeBytes: 6.9 * GiB, inUseBytes: 3.2 * GiB }),
        sampleMember('etcd-1', { dbSizeBytes: 8 * GiB, inUseBytes: 3.1 * GiB, alarms: ['NOSPACE'] }),
        sampleMember('etcd-2', {
          role: 'unreachable',
          version: undefined,
          dbSizeBytes: undefined,
          inUseBytes: undefined,
          quotaBytes: undefined,
          quotaText: 'not known: it does not answer',
          trouble: 'https://10.0.0.12:2379: connection refused',
        }),
      ],
    },
    events: newestFirst([
      ...[...weekOf('primary'), ...weekOf('offsite')].filter(isBeforeOutage),
      ...failures,
      {
        at: before({ days: 1, hours: 4 }),
        kind: 'damaged',
        repository: 'offsite',
        text: '20261124T100322Z-r228678-k3f9x2qa',
      },
      { at: before({ hours: 5 }), kind: 'failed', repository: undefined, text: 'defrag: etcd-2 does not answer' },
    ]),
    running: [],
    lastErrors: [
      { job: 'backup', at: before({ minutes: 20 }), ...storeDown, times: 9 },
      {
        job: 'defrag',
        at: before({ hours: 5 }),
        code: 'defrag-refused',
        message: 'etcd-2 does not answer, and another member less would cost quorum',
        hint: 'Bring the member back first.',
        times: 1,
      },
    ],
  });
}

/** A new install: nothing was looked at yet. */
export function emptyStatus(): AgentStatus {
  const nothing = { newest: undefined, newestVerified: undefined, newestDrilled: undefined, listedAt: undefined };
  return healthyStatus({
    startedAt: now,
    verdict: { level: 'unknown', sentence: 'The agent has just started and has not looked at anything yet.' },
    repositories: [
      sampleRepository('primary', {
        ...nothing,
        backups: { complete: 0, incomplete: 0, damaged: 0, held: 0 },
        storedBytes: 0,
      }),
    ],
    members: { seenAt: undefined, error: undefined, isOutdated: false, members: [] },
    events: [],
    running: [],
    schedule: [],
  });
}
