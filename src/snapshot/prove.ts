import { WardenError } from '../errors/warden-error.ts';
import type { Inspection } from '../inspect/inspection.ts';

/** Rejects a snapshot that is not whole and sound, with the most telling error. */
export function proveSound(inspection: Inspection): void {
  const { trailer, damage, sizeBytes } = inspection;
  const details = { sizeBytes, damage: damage.map(({ code, where }) => `${code}: ${where}`) };
  if (inspection.verdict === 'sound') return;
  if (sizeBytes === 0)
    throw new WardenError('snapshot-not-etcd', 'expected a snapshot of etcd, found nothing: it is empty');
  const other = damage.find(({ code }) => code === 'not-etcd' || code === 'not-bolt');
  if (other !== undefined) {
    throw new WardenError('snapshot-not-etcd', `expected a snapshot of etcd: ${other.message}`, { details });
  }
  if (damage.some(({ code }) => code === 'too-complex')) {
    throw new WardenError('too-complex', describeDamage(inspection), { details });
  }
  if (trailer === 'missing') throw new WardenError('trailer-missing', describeDamage(inspection), { details });
  if (trailer === 'differs') throw new WardenError('trailer-mismatch', describeDamage(inspection), { details });
  throw new WardenError('snapshot-damaged', describeDamage(inspection), { details });
}

/** Rejects a snapshot that is older than what was acknowledged before it was begun. */
export function proveFresh(inspection: Inspection, readRevision: bigint | undefined, member: string): void {
  if (readRevision === undefined || inspection.revision >= readRevision) return;
  throw new WardenError(
    'snapshot-not-fresh',
    `the snapshot of ${member} ends at revision ${inspection.revision}, but the cluster was at ${readRevision} before it began`,
    { details: { member, revision: inspection.revision.toString(), readRevision: readRevision.toString() } },
  );
}

function describeDamage({ damage, damageCount }: Inspection): string {
  const shown = damage.slice(0, 3).map(({ message, where }) => (where === '' ? message : `${where}: ${message}`));
  const more = damageCount - shown.length;
  return `the snapshot is not sound: ${shown.join('; ')}${more > 0 ? `; and ${more} more` : ''}`;
}
