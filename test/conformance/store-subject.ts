import { expect } from 'vitest';
import type { ObjectBody, ObjectStore } from '../../src/ports/object-store.ts';

export interface StoreSubject extends AsyncDisposable {
  /** Empty. */
  readonly store: ObjectStore;
  /** What uploads that never completed left: multipart uploads, temporary files, empty folders. */
  leftovers(): Promise<string[]>;
  /** Bytes after which an upload starts another part; any size where there are no parts. */
  readonly partSizeBytes: number;
}

const go = new AbortController().signal;

/** Writes a body in blocks that do not fit into parts evenly. */
export async function uploadWhole(store: ObjectStore, key: string, body: Buffer, signal = go): Promise<void> {
  await using upload = await store.startUpload(key, { maxBytes: body.length }, signal);
  const blockBytes = 1_000_003;
  for (let at = 0; at < body.length; at += blockBytes) await upload.write(body.subarray(at, at + blockBytes));
  await upload.complete();
}

export async function bytesOf(store: ObjectStore, key: string): Promise<Buffer> {
  await using body = await store.read(key, {}, go);
  const bytes = await collect(body);
  expect(bytes).toHaveLength(body.sizeBytes);
  return bytes;
}

export async function keysOf(store: ObjectStore, prefix: string, signal = go): Promise<string[]> {
  return (await allOf(store.list(prefix, signal))).map((entry) => entry.key);
}

export async function collect(body: ObjectBody): Promise<Buffer> {
  return Buffer.concat(await allOf(body));
}

export async function allOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
