import type { ByteSpan } from './byte-span.ts';
import type { DamageList } from './damage.ts';
import type { Meta } from './meta.ts';
import { pageHeaderBytes, pageType, readCount, readFlags, readOverflow, readUint64, saysItIs } from './pages.ts';

const idBytes = 8;
/** From here on the number of ids is the first of them. Source: bbolt internal/common/page.go, FreelistPageCount. */
const countElsewhere = 0xffff;
/** 64 MiB of ids: the free pages of 64 GiB. */
const maxIds = 16 << 20;

/** Reads the stored freelist as it streams past; where it begins is known from the meta page. */
export class FreelistReader {
  /** Pages of the freelist itself. */
  overflow = 0;
  readonly page: number;
  readonly #highWaterMark: number;
  readonly #startAt: number;
  readonly #pageSizeBytes: number;
  #ids = new Uint32Array(1024);
  #count = 0;
  #idsAt = 0;
  #idsEnd = 0;
  #badType: string | undefined = 'the file ends before it';
  #invalid: string | undefined;

  constructor(meta: Meta, page: number) {
    this.page = page;
    this.#highWaterMark = meta.highWaterMark;
    this.#pageSizeBytes = meta.pageSizeBytes;
    this.#startAt = page * meta.pageSizeBytes;
  }

  /** Takes the bytes of the file from `base` on; windows are whole pages, all but the last. */
  consume(window: ByteSpan, base: number): void {
    const header = this.#startAt - base;
    if (header >= 0 && header + this.#pageSizeBytes <= window.bytes.length) this.#readHeader(window, header);
    const end = Math.min(this.#idsEnd, base + window.bytes.length);
    for (let at = Math.max(this.#idsAt, base); at + idBytes <= end; at += idBytes)
      this.#add(readUint64(window, at - base));
  }

  /** Free page ids in ascending order. */
  ids(): Uint32Array {
    return this.#ids.subarray(0, this.#count);
  }

  /** True where the list is sound. */
  report(damages: DamageList): boolean {
    const where = `freelist page ${this.page}`;
    if (this.#badType !== undefined) damages.add('freelist-bad-type', where, this.#badType);
    else if (this.#invalid !== undefined) damages.add('freelist-invalid', where, this.#invalid);
    return this.#badType === undefined && this.#invalid === undefined;
  }

  #readHeader(window: ByteSpan, at: number): void {
    const flags = readFlags(window, at);
    if (flags !== pageType.freelist) this.#badType = `its type is 0x${flags.toString(16)}, not 0x10 (freelist)`;
    else if (!saysItIs(this.page, window, at)) this.#badType = 'it says that it is another page';
    else this.#badType = undefined;
    if (this.#badType !== undefined) return;

    this.overflow = readOverflow(window, at);
    const count = readCount(window, at);
    const isElsewhere = count === countElsewhere;
    this.#idsAt = this.#startAt + pageHeaderBytes + (isElsewhere ? idBytes : 0);
    const total = isElsewhere ? readUint64(window, at + pageHeaderBytes) : count;
    const room = (this.overflow + 1) * this.#pageSizeBytes - (this.#idsAt - this.#startAt);
    if (total * idBytes > room) this.#invalid = `it names ${total} pages, more than it has room for`;
    else this.#idsEnd = this.#idsAt + total * idBytes;
  }

  #add(id: number): void {
    if (this.#invalid !== undefined) return;
    const before = this.#count === 0 ? 1 : this.#ids[this.#count - 1]!;
    if (id <= before) this.#invalid = `page ${id} comes after page ${before}: ids must rise, from 2 on`;
    else if (id >= this.#highWaterMark)
      this.#invalid = `page ${id} is above the high-water mark ${this.#highWaterMark}`;
    else if (this.#count === maxIds) this.#invalid = `it names more than ${maxIds} pages`;
    if (this.#invalid !== undefined) return;
    if (this.#count === this.#ids.length) {
      const larger = new Uint32Array(2 * this.#ids.length);
      larger.set(this.#ids);
      this.#ids = larger;
    }
    this.#ids[this.#count++] = id;
  }
}
