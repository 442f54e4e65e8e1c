import { hash } from 'node:crypto';

/** One acknowledged change. Revisions are those of the acknowledgement's header. */
export type Change =
  | {
      readonly kind: 'put';
      readonly revision: number;
      readonly key: string;
      readonly digest: string;
      readonly lease: string;
    }
  | { readonly kind: 'delete'; readonly revision: number; readonly key: string }
  /** Removes every key that hangs on the lease at this moment. */
  | { readonly kind: 'revoke'; readonly revision: number; readonly lease: string };

/** A key as it must be found, or was found. */
export interface KeyState {
  readonly revision: number;
  readonly digest: string;
  /** Decimal; `0` for none. */
  readonly lease: string;
}

export const digestOf = (value: string | Uint8Array): string => hash('sha256', value, 'base64');

/**
 * Everything that a cluster's only writer was told is written. Once nothing is in flight, the state at any revision
 * follows from it, but for keys on leases that run out by themselves: the server alone knows when.
 */
export class Journal {
  readonly #changes: Change[] = [];
  readonly #expiringLeases = new Set<string>();
  #newestRevision = 0;

  record(...changes: readonly Change[]): void {
    for (const change of changes) {
      this.#changes.push(change);
      this.#newestRevision = Math.max(this.#newestRevision, change.revision);
    }
  }

  noteExpiring(lease: string): void {
    this.#expiringLeases.add(lease);
  }

  /** Newest revision that was acknowledged so far. */
  get newestRevision(): number {
    return this.#newestRevision;
  }

  count(kind: Change['kind']): number {
    return this.#changes.filter((change) => change.kind === kind).length;
  }

  stateAt(revision: number): Map<string, KeyState> {
    const state = new Map<string, KeyState>();
    // Acknowledgements may come out of order; a revocation that removed nothing shares its revision with another change.
    const applied = this.#changes
      .filter((change) => change.revision <= revision)
      .sort((a, b) => a.revision - b.revision);
    for (const change of applied) {
      if (change.kind === 'put') state.set(change.key, change);
      else if (change.kind === 'delete') state.delete(change.key);
      else for (const [key, { lease }] of state) if (lease === change.lease) state.delete(key);
    }
    return state;
  }

  /** What is wrong with the keys found at a revision, one line a key; empty if they are exactly as written. */
  compare(found: ReadonlyMap<string, KeyState>, revision: number): string[] {
    const expected = this.stateAt(revision);
    const faults: string[] = [];
    for (const [key, state] of expected) {
      const actual = found.get(key);
      if (actual === undefined) {
        if (!this.#expiringLeases.has(state.lease)) faults.push(`${key} of revision ${state.revision} is missing`);
      } else if (actual.revision !== state.revision || actual.digest !== state.digest || actual.lease !== state.lease) {
        faults.push(
          `${key} was last written at revision ${state.revision}, found another value, of revision ${actual.revision}`,
        );
      }
    }
    for (const [key, { revision: foundAt }] of found) {
      if (!expected.has(key)) faults.push(`${key} is there, of revision ${foundAt}, and should not be`);
    }
    return faults;
  }
}
