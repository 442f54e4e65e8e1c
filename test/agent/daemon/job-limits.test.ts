import { describe, expect, it } from 'vitest';
import { deadlineMs } from '../../../src/agent/daemon/job-limits.ts';
import { Knowledge } from '../../../src/agent/daemon/knowledge.ts';
import { summarizeCatalogue } from '../../../src/agent/summarize-catalogue.ts';
import { configOf, minimalConfig } from '../../config/minimal-config.ts';
import { cluster, MiB, now, type Changes } from '../../defrag/cluster.ts';

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
/** Whatever the sizes are. */
const allowanceMs = 10 * minuteMs;
const config = configOf(`${minimalConfig}snapshot: {maxStreamHold: 2m}\n`);

/** Members as they were seen, and a repository for each pair of stored bytes and backups. */
function knowing(members: readonly Changes[], ...repositories: readonly (readonly [number, number])[]): Knowledge {
  const knowledge = new Knowledge();
  if (members.length > 0) knowledge.members = { seenAt: now, facts: cluster(members) };
  for (const [index, [storedBytes, count]] of repositories.entries()) {
    const empty = summarizeCatalogue(`r${index}`, [], now);
    const backups = { complete: count - 1, damaged: 1, incomplete: 100, held: 100 };
    const summary = { ...empty, facts: { ...empty.facts, storedBytes, backups } };
    knowledge.repositories.set(`r${index}`, { location: '', summary, failure: undefined });
  }
  return knowledge;
}

describe('The deadline', () => {
  it('of a backup follows from the largest member, at 2 MiB a second', () => {
    const members = [{ dbSizeBytes: 120 * MiB }, { dbSizeBytes: 1200 * MiB }, { silent: 'gone' }];
    expect(deadlineMs('backup', config, knowing(members))).toBe(allowanceMs + 10 * minuteMs);
  });

  it('of a backup leaves a stream all the time that it may take', () => {
    const patient = configOf(`${minimalConfig}snapshot: {maxStreamHold: 1h}\n`);
    expect(deadlineMs('backup', patient, knowing([{ dbSizeBytes: MiB }]))).toBe(120 * minuteMs);
  });

  it('of a verification follows from all that is stored', () => {
    expect(deadlineMs('verify', config, knowing([], [120 * MiB, 1], [1080 * MiB, 1]))).toBe(
      allowanceMs + 10 * minuteMs,
    );
  });

  it('of retention follows from the number of backups', () => {
    expect(deadlineMs('prune', config, knowing([], [0, 60], [0, 120]))).toBe(allowanceMs + 3 * minuteMs);
  });

  it('is a day where nothing is known, which is also the most that it ever is', () => {
    for (const job of ['backup', 'verify', 'prune', 'defrag'] as const) {
      expect(deadlineMs(job, config, new Knowledge())).toBe(dayMs);
    }
    const vast = knowing([{ dbSizeBytes: 2 ** 50 }], [2 ** 50, 10_000_000]);
    for (const job of ['backup', 'verify', 'prune'] as const) expect(deadlineMs(job, config, vast)).toBe(dayMs);
  });

  it('of a defragmentation is a day: each member has a limit of its own', () => {
    expect(deadlineMs('defrag', config, knowing([{ dbSizeBytes: MiB }], [1, 1]))).toBe(dayMs);
  });
});
