import { byteSpan, type ByteSpan } from './byte-span.ts';
import { crc32c } from './crc32c.ts';
import { maxTailBytes, OverflowRun } from './overflow-run.ts';
import { defect, rowOf } from './page-summaries.ts';
import type { SummaryStores } from './summary-stores.ts';

/** Four values of etcd's largest recommended request, 10 MiB, and room. Bounds how many runs can be open at once. */
const maxRunBytes = 64 << 20;

/** Where an element begins or ends: at this position the running CRC is taken. */
interface Boundary {
  readonly at: number;
  readonly run: OverflowRun;
  readonly index: number;
}

/** The beginning of an element that goes on in the next window. */
interface CutHead {
  readonly run: OverflowRun;
  readonly index: number;
  readonly bytes: Uint8Array;
  readonly filled: number;
}

/**
 * Follows pages with overflow whose bytes are not all at hand. Stale headers make runs that overlap, so bytes are not
 * fed to each run: one CRC runs over the file while any run is open, and its value at the beginning and end of an
 * element gives the element's CRC. So every byte is read once here, however many runs claim it.
 */
export class OverflowRuns {
  readonly #stores: SummaryStores;
  readonly #windowBytes: number;
  /** Boundaries by the window that they fall into. */
  readonly #boundaries = new Map<number, Boundary[]>();
  #openRuns = 0;
  #running = 0;
  /** How far the CRC has run; -1 while no run is open. */
  #runningTo = -1;
  #cutHeads: CutHead[] = [];
  /** The last bytes of the window before. */
  #before: Uint8Array = new Uint8Array(0);

  constructor(stores: SummaryStores, windowBytes: number) {
    this.#stores = stores;
    this.#windowBytes = windowBytes;
  }

  /** Begins to follow the leaf page at `at` in the window; its element table was checked. */
  follow(page: number, window: ByteSpan, at: number, base: number): void {
    const chunk = this.#stores.pages.chunkFor(page);
    const run = new OverflowRun(page, window, at, base);
    const isFollowed = run.endAt - (base + at) <= maxRunBytes && run.holdsNoBucket;
    chunk.defect[rowOf(page)] = isFollowed ? defect.incomplete : defect.tooComplex;
    if (!isFollowed) return;
    this.#openRuns++;
    run.boundaries.forEach((position, index) => {
      const key = Math.floor(position / this.#windowBytes);
      const there = this.#boundaries.get(key);
      if (there === undefined) this.#boundaries.set(key, [{ at: position, run, index }]);
      else there.push({ at: position, run, index });
    });
  }

  /** Takes the bytes of the file from `base` on, after every run that begins in them is followed. May be empty at the end. */
  consume(window: ByteSpan, base: number): void {
    if (this.#openRuns === 0) return;
    this.#completeCutHeads(window);
    const key = Math.floor(base / this.#windowBytes);
    const due = (this.#boundaries.get(key) ?? []).sort((a, b) => a.at - b.at);
    this.#boundaries.delete(key);
    for (const boundary of due) {
      if (boundary.at > base + window.bytes.length) continue;
      this.#advance(window, base, boundary.at);
      this.#pass(boundary, window, base);
    }
    if (this.#openRuns === 0) {
      this.#runningTo = -1;
      return;
    }
    this.#advance(window, base, base + window.bytes.length);
    this.#before = window.bytes.slice(-maxTailBytes);
  }

  #advance(window: ByteSpan, base: number, to: number): void {
    if (this.#runningTo < 0) this.#running = 0;
    else this.#running = crc32c(window, this.#runningTo - base, to - base, this.#running);
    this.#runningTo = to;
  }

  #pass({ at, run, index }: Boundary, window: ByteSpan, base: number): void {
    run.runningCrcs[index] = this.#running;
    if (index > 0) run.endElement(index - 1, this.#stores, (from) => this.#bytesBetween(from, at, window, base));
    if (index === run.count) {
      this.#openRuns--;
      run.finish(this.#stores);
      return;
    }
    const wanted = run.headBytesOf(index);
    const start = at - base;
    if (start + wanted <= window.bytes.length) {
      run.readHead(index, window, start, wanted, this.#stores);
      return;
    }
    const bytes = new Uint8Array(wanted);
    bytes.set(window.bytes.subarray(start));
    this.#cutHeads.push({ run, index, bytes, filled: window.bytes.length - start });
  }

  #completeCutHeads(window: ByteSpan): void {
    if (this.#cutHeads.length === 0) return;
    const complete = this.#cutHeads.filter(({ bytes, filled }) => bytes.length - filled <= window.bytes.length);
    for (const { run, index, bytes, filled } of complete) {
      bytes.set(window.bytes.subarray(0, bytes.length - filled), filled);
      run.readHead(index, byteSpan(bytes), 0, bytes.length, this.#stores);
    }
    this.#cutHeads = [];
  }

  /** A few bytes of the file up to `to`, which may begin in the window before; undefined if that is too far back. */
  #bytesBetween(from: number, to: number, window: ByteSpan, base: number): Uint8Array | undefined {
    if (from >= base) return window.bytes.subarray(from - base, to - base);
    const back = base - from;
    if (back > this.#before.length) return undefined;
    const start = this.#before.length - back;
    if (to <= base) return this.#before.subarray(start, start + to - from);
    const joined = new Uint8Array(to - from);
    joined.set(this.#before.subarray(start));
    joined.set(window.bytes.subarray(0, to - base), back);
    return joined;
  }
}
