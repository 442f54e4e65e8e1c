import type { DamageList } from './damage.ts';
import { createSha256 } from './sha256.ts';

/** SHA-256 that etcd appends after the bolt file. Source: etcd server/etcdserver/api/v3rpc/maintenance.go, Snapshot. */
export const trailerBytes = 32;

/** Bolt files are whole pages, so only a trailer leaves this remainder. Source: etcdutl/snapshot/v3_snapshot.go, hasChecksum. */
export function hasTrailer(sizeBytes: number): boolean {
  return sizeBytes % 512 === trailerBytes;
}

export interface TrailerFacts {
  readonly state: 'matches' | 'differs' | 'missing';
  /** Digest of every byte, the trailer's own too. */
  readonly sha256: string;
  /** The digest that the file carries about itself. */
  readonly trailerSha256: string | undefined;
}

export function reportTrailer({ state, trailerSha256 }: TrailerFacts, sizeBytes: number, damages: DamageList): void {
  if (state === 'missing') {
    damages.addFirst(
      'trailer-missing',
      'file',
      `${sizeBytes} bytes are not whole pages and ${trailerBytes} bytes of SHA-256`,
    );
  } else if (state === 'differs') {
    damages.addFirst(
      'trailer-mismatch',
      'file',
      `the bytes before the trailer do not have its SHA-256 ${trailerSha256}`,
    );
  }
}

/** Hashes a stream while holding its last 32 bytes back, because only the end tells whether they are the trailer. */
export class TrailerCheck {
  readonly #hash = createSha256();
  readonly #held = new Uint8Array(trailerBytes);
  #heldBytes = 0;
  #totalBytes = 0;

  update(bytes: Uint8Array): void {
    this.#totalBytes += bytes.length;
    if (bytes.length >= trailerBytes) {
      this.#hash.update(this.#held.subarray(0, this.#heldBytes));
      this.#hash.update(bytes.subarray(0, -trailerBytes));
      this.#hold(bytes.subarray(-trailerBytes));
    } else if (bytes.length > 0) {
      const joined = new Uint8Array(this.#heldBytes + bytes.length);
      joined.set(this.#held.subarray(0, this.#heldBytes));
      joined.set(bytes, this.#heldBytes);
      const released = Math.max(0, joined.length - trailerBytes);
      this.#hash.update(joined.subarray(0, released));
      this.#hold(joined.subarray(released));
    }
  }

  finish(): TrailerFacts {
    const bodySha256 = this.#hash.digestSoFar();
    const held = this.#held.subarray(0, this.#heldBytes);
    this.#hash.update(held);
    const sha256 = this.#hash.digestSoFar();
    if (!hasTrailer(this.#totalBytes)) return { state: 'missing', sha256, trailerSha256: undefined };
    const trailerSha256 = Array.from(held, (byte) => byte.toString(16).padStart(2, '0')).join('');
    return { state: trailerSha256 === bodySha256 ? 'matches' : 'differs', sha256, trailerSha256 };
  }

  #hold(bytes: Uint8Array): void {
    this.#held.set(bytes);
    this.#heldBytes = bytes.length;
  }
}
