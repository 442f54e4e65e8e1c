import { createHash } from 'node:crypto';

/** SHA-256 of bytes as they come; the one place of this folder that reaches for a platform's hash. */
export interface Sha256 {
  update(bytes: Uint8Array): void;
  /** Digest of everything so far, in hex; more bytes may follow. */
  digestSoFar(): string;
}

export function createSha256(): Sha256 {
  const hash = createHash('sha256');
  return {
    update: (bytes) => void hash.update(bytes),
    digestSoFar: () => hash.copy().digest('hex'),
  };
}
