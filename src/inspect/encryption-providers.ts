import type { ByteSpan } from './byte-span.ts';

/** `k8s:enc:`, which kube-apiserver puts before an encrypted value: `k8s:enc:aescbc:v1:key1:`. Source: k8s.io/apiserver, encryptionconfig. */
const markerStart = 0x6b38733a;
const markerEnd = 0x656e633a;
const markerBytes = 8;
const colon = 0x3a;
/** Provider, version and key name are short in practice; how much of a value is looked at. */
const maxNameBytes = 96;

/** 4 bits of an entry's label; number 0 is "not encrypted". */
export const maxProviders = 16;
const other = maxProviders - 1;

export interface EncryptionProvider {
  /** `aescbc`, `aesgcm`, `secretbox`, `kms`; `(unreadable)`; or `(other)` beyond the first fourteen. */
  readonly provider: string;
  /** `v1`, `v2`. */
  readonly version: string;
  /** Name of the key, or of the KMS plugin, in the API server's EncryptionConfiguration. */
  readonly keyName: string;
}

/** Numbers for the encryption-at-rest providers that values name. */
export class EncryptionProviders {
  readonly #numbers = new Map<number, number>();
  readonly #found: EncryptionProvider[] = [];

  /** 0 where the value in span[from, to) is not encrypted. */
  numberOf({ bytes, view }: ByteSpan, from: number, to: number): number {
    if (to - from < markerBytes || view.getUint32(from) !== markerStart) return 0;
    if (view.getUint32(from + 4) !== markerEnd) return 0;
    const start = from + markerBytes;
    const end = endOfName(bytes, start, Math.min(to, from + maxNameBytes));
    let hash = 0x811c9dc5;
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
    const known = this.#numbers.get(hash);
    if (known !== undefined) return known;
    if (this.#found.length + 1 >= other) return other;
    this.#numbers.set(hash, this.#found.push(parseName(bytes.subarray(start, end))));
    return this.#found.length;
  }

  provider(number: number): EncryptionProvider {
    return this.#found[number - 1] ?? { provider: '(other)', version: '', keyName: '' };
  }
}

/** Where `aescbc:v1:key1:` ends: at the third colon. `from` where there is no third one. */
function endOfName(bytes: Uint8Array, from: number, limit: number): number {
  let colons = 0;
  for (let at = from; at < limit; at++) if (bytes[at] === colon && ++colons === 3) return at;
  return from;
}

/** Values are remote bytes: whatever could disturb a terminal becomes a dot. */
function parseName(bytes: Uint8Array): EncryptionProvider {
  const text = Array.from(bytes, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');
  const [provider, version = '', keyName = ''] = text.split(':');
  return { provider: provider === '' || provider === undefined ? '(unreadable)' : provider, version, keyName };
}
