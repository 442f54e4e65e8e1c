import type { AgentEvent } from '../../agent-status.ts';

export type EventKind = AgentEvent['kind'];

/** In the order in which they are told: what went wrong first. */
export const eventKinds = ['failed', 'damaged', 'backup', 'verified', 'drilled', 'defragmented', 'pruned'] as const;

/** What one event is called in a legend or a list. */
export const eventWords: Readonly<Record<EventKind, string>> = {
  failed: 'failed',
  damaged: 'found damaged',
  backup: 'backup',
  verified: 'verified',
  drilled: 'drilled',
  defragmented: 'defragmented',
  pruned: 'pruned',
};

export type EventCounts = ReadonlyMap<EventKind, number>;

/** `1 failed, 24 backups, 3 verified`; `nothing` for none. */
export function describeCounts(counts: EventCounts): string {
  const texts = eventKinds.flatMap((kind) => {
    const count = counts.get(kind) ?? 0;
    if (count === 0) return [];
    return [`${count} ${kind === 'backup' && count > 1 ? 'backups' : eventWords[kind]}`];
  });
  return texts.length === 0 ? 'nothing' : texts.join(', ');
}
