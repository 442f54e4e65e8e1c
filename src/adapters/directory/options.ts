import type { WardenError } from '../../errors/warden-error.ts';

export interface DirectoryStoreOptions {
  /** Absolute path of a directory that exists; it may be a link. */
  readonly path: string;
  /** Told of what an aborted upload could not clear away after itself. */
  readonly onLeftover?: ((error: WardenError) => void) | undefined;
}
