import type { RepositoryFacts } from '../ports/metrics.ts';
import type { CatalogueEntry } from '../repository/catalogue.ts';
import type { AgentEvent, BackupState } from './agent-status.ts';
import { clockToleranceMs } from './clock-tolerance.ts';

export interface CatalogueSummary {
  readonly facts: RepositoryFacts;
  readonly newest: BackupState | undefined;
  readonly newestVerified: BackupState | undefined;
  readonly newestDrilled: BackupState | undefined;
  readonly events: readonly AgentEvent[];
}

const eventsForMs = 7 * 24 * 60 * 60_000;

/**
 * What a listing tells of a repository. Of the backups that count the newest is named, verified and drilled ones apart; one
 * that is dated ahead of the clock is not the newest: its date is wrong, and it would hide that no other one comes.
 */
export function summarizeCatalogue(
  repository: string,
  entries: readonly CatalogueEntry[],
  listedAt: Date,
): CatalogueSummary {
  const usable = entries.filter(
    ({ state, place }) => state === 'complete' && place.id.time.getTime() <= listedAt.getTime() + clockToleranceMs,
  );
  const newest = toBackup(usable[0]);
  const newestVerified = toBackup(usable.find(({ verifiedAt }) => verifiedAt !== undefined));
  const newestDrilled = toBackup(usable.find(({ drilledAt }) => drilledAt !== undefined));
  const count = (wanted: CatalogueEntry['state']): number => entries.filter(({ state }) => state === wanted).length;
  return {
    newest,
    newestVerified,
    newestDrilled,
    facts: {
      listedAt,
      newestBackupAt: newest?.takenAt,
      newestVerifiedAt: newestVerified?.takenAt,
      newestDrilledAt: newestDrilled?.takenAt,
      backups: {
        complete: count('complete'),
        incomplete: count('incomplete'),
        damaged: count('damaged'),
        held: entries.filter(({ holds }) => holds.length > 0).length,
      },
      storedBytes: entries.reduce((sum, { objects }) => sum + sizeOf(objects), 0),
    },
    events: entries.flatMap((entry) => eventsOf(repository, entry, listedAt)),
  };
}

function sizeOf(objects: CatalogueEntry['objects']): number {
  return objects.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

function toBackup(entry: CatalogueEntry | undefined): BackupState | undefined {
  if (entry === undefined) return undefined;
  const { place, snapshot, verifiedAt } = entry;
  const { text: id, time: takenAt, revision } = place.id;
  return { id, takenAt, revision: revision.toString(), storedBytes: snapshot?.sizeBytes ?? 0, verifiedAt };
}

/** Every evidence is an event of its own: a backup may be read back many times. */
function eventsOf(repository: string, { place, objects }: CatalogueEntry, now: Date): AgentEvent[] {
  const since = now.getTime() - eventsForMs;
  const text = place.id.text;
  return objects.flatMap(({ role }): AgentEvent[] => {
    if (role.kind === 'manifest') {
      return place.id.time.getTime() >= since ? [{ at: place.id.time, kind: 'backup', repository, text }] : [];
    }
    if (role.kind !== 'verified' && role.kind !== 'drilled' && role.kind !== 'damaged') return [];
    return role.time.getTime() >= since ? [{ at: role.time, kind: role.kind, repository, text }] : [];
  });
}
