import type { AgentEvent, AgentStatus } from '../../../src/agent/agent-status.ts';
import { before, healthyStatus, now, sampleBackup, sampleMember, sampleRepository } from './sample-status.ts';

const GiB = 1024 ** 3;

/** Markup, quotes, a right-to-left override, a name without a blank. */
export const hostileTexts = [
  '<script>document.title = "taken"</script>',
  `" onmouseover="document.title='taken'" x="`,
  "'><img src=x onerror=alert(1)>",
  'etcd-\u202E0-dcte\u202C',
  '</style><style>*{display:none}</style>',
  `very-${'long-'.repeat(60)}name-${'x'.repeat(300)}`,
] as const;

/** Seven members, four repositories, thousands of events, and every text is somebody's attempt. */
export function hugeStatus(): AgentStatus {
  const hostile = (index: number): string => hostileTexts[index % hostileTexts.length] ?? '';
  const names = [0, 1, 2, 5].map(hostile);
  const events = Array.from({ length: 3000 }, (_, index): AgentEvent => ({
    at: before({ minutes: index * 3.3 }),
    kind:
      (['backup', 'verified', 'backup', 'pruned', 'failed', 'damaged', 'drilled', 'defragmented'] as const)[
        (index * 7 + Math.floor(index / 37)) % 8
      ] ?? 'backup',
    repository: index % 5 === 4 ? undefined : names[index % 4],
    text: hostile(index),
  }));
  const error = { code: 'store-refused', message: hostile(0), hint: hostile(1), since: before({ minutes: 5 }) };
  return healthyStatus({
    cluster: hostile(0),
    version: hostile(2),
    verdict: { level: 'warning', sentence: `Safe now, but ${hostile(0)} ${hostile(3)} needs somebody.` },
    problems: hostileTexts.map((text, index) => ({
      level: index % 2 === 0 ? 'danger' : 'warning',
      text,
      hint: hostile(index + 1),
    })),
    repositories: names.map((name, index) =>
      sampleRepository(name, {
        location: hostile(index + 1),
        error: index === 0 ? error : undefined,
        isOutdated: index === 0,
        newest: { ...sampleBackup(before({ days: 3 })), id: hostile(index) },
        backups: { complete: 123_456, incomplete: 1234, damaged: 99, held: 12 },
        storedBytes: 123_456_789_012_345,
      }),
    ),
    members: {
      seenAt: now,
      error,
      isOutdated: true,
      members: Array.from({ length: 7 }, (_, index) =>
        sampleMember(hostile(index), {
          role: (['leader', 'follower', 'learner', 'unstarted', 'unreachable'] as const)[index % 5] ?? 'leader',
          version: hostile(index + 1),
          quotaBytes: index === 1 ? undefined : 8 * GiB,
          quotaText: index === 1 ? `not known: ${hostile(2)}` : '8.00 GiB (status)',
          alarms: index === 2 ? ['NOSPACE', hostile(1)] : [],
          trouble: index === 3 ? hostile(5) : undefined,
        }),
      ),
    },
    events,
    running: [
      { job: 'backup', since: before({ minutes: 3 }), stage: hostile(5), doneBytes: 81_000_000, totalBytes: undefined },
    ],
    schedule: [{ job: 'backup', nextAt: now, cron: hostile(0), timeZone: hostile(3) }],
    lastErrors: [{ job: 'backup', at: now, ...error, times: 1234 }],
  });
}
