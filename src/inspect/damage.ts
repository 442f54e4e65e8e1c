/** What can be wrong with a snapshot. Stable words: manifests and scripts carry them. */
export type DamageCode =
  | 'trailer-missing'
  | 'trailer-mismatch'
  | 'not-bolt'
  | 'meta-damaged'
  | 'file-shorter-than-high-water-mark'
  | 'page-out-of-range'
  | 'page-wrong-type'
  | 'page-referenced-twice'
  | 'page-empty'
  | 'page-lost'
  | 'page-free-and-used'
  | 'element-out-of-bounds'
  | 'keys-unsorted'
  | 'separator-differs'
  | 'freelist-bad-type'
  | 'freelist-invalid'
  | 'bucket-invalid'
  | 'not-etcd'
  | 'etcd-layout-invalid'
  | 'too-complex';

export interface Damage {
  readonly code: DamageCode;
  /** Path in the tree, such as `bucket key > page 12 > page 40`, or `file`, `meta page 0`, `freelist page 7`. */
  readonly where: string;
  readonly message: string;
}

/** More than these tell an operator nothing new. */
const maxListed = 20;

export class DamageList {
  readonly listed: Damage[] = [];
  /** All that was found, listed or not. */
  total = 0;

  add(code: DamageCode, where: string, message: string): void {
    this.total++;
    if (this.listed.length < maxListed) this.listed.push({ code, where, message });
  }

  /** Adds what says most about the file, before everything else. */
  addFirst(code: DamageCode, where: string, message: string): void {
    this.total++;
    this.listed.unshift({ code, where, message });
    this.listed.length = Math.min(this.listed.length, maxListed);
  }
}
