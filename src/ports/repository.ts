import type { ObjectStore } from './object-store.ts';

/** One cluster's backups in one store. */
export interface Repository {
  readonly name: string;
  readonly store: ObjectStore;
}
