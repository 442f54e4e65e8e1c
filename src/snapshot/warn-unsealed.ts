import type { Manifest } from '../manifest/schema.ts';
import type { Log } from '../ports/log.ts';

/**
 * A backup from before encryption was turned on stays readable. But where encryption is configured, one without it may also
 * have been put there by whoever can write to the store, and nothing about its bytes can tell.
 */
export function warnIfUnsealed({ encryption, id }: Manifest, encrypts: boolean, repository: string, log: Log): void {
  if (!encrypts || encryption !== 'none') return;
  log.warn(
    'the backup is not encrypted although encryption is configured: make sure that it is from before that, and yours',
    { repository, backup: id },
  );
}
