import { beforeEach, describe, expect, it } from 'vitest';
import { WardenError } from '../../src/errors/warden-error.ts';
import { manifestMaxBytes } from '../../src/manifest/manifest.ts';
import { commitManifest } from '../../src/repository/commit.ts';
import { manifestName, objectKey } from '../../src/repository/layout.ts';
import { wardenError } from '../support/errors.ts';
import { createMemoryStore, type MemoryStore } from '../support/memory-store.ts';
import { placeAt } from '../support/sample-backup.ts';

const go = new AbortController().signal;
const place = placeAt('2026-11-24T14:00:00Z');
const key = objectKey(place, manifestName);
const manifest = Buffer.from('{"format": "etcd-warden-manifest"}\n');

describe('committing a manifest', () => {
  let store: MemoryStore;
  const stored = (): string | undefined => store.objects.get(key)?.bytes.toString();

  beforeEach(() => {
    store = createMemoryStore();
  });

  it('stores it beside its snapshot', async () => {
    expect(await commitManifest(store, place, manifest, go)).toBeUndefined();
    expect(stored()).toBe(manifest.toString());
  });

  it('succeeds where the very same bytes are there: the answer of an earlier attempt was lost', async () => {
    await store.create(key, manifest, go);
    expect(await commitManifest(store, place, manifest, go)).toBeUndefined();
    expect(stored()).toBe(manifest.toString());
  });

  it.each([
    ['other bytes', Buffer.from('{}')],
    ['no bytes', Buffer.alloc(0)],
    ['more bytes', Buffer.concat([manifest, Buffer.from(' ')])],
    ['far too many bytes', Buffer.alloc(manifestMaxBytes + 1)],
  ])('is a conflict where %s are there, and overwrites nothing', async (_, other) => {
    await store.create(key, other, go);
    await expect(commitManifest(store, place, manifest, go)).rejects.toEqual(wardenError('commit-conflict', key));
    expect(stored()).toBe(other.toString());
  });

  it('takes what is there for its own where the role may not read, and says so: nobody else knows the random bits of the key', async () => {
    await store.create(key, manifest, go);
    store.read = () => Promise.reject(new WardenError('store-access-denied', 'may not read'));
    expect(await commitManifest(store, place, manifest, go)).toEqual(
      wardenError('store-access-denied', 'may not read'),
    );
  });

  it('does not guess where the store cannot be read for another reason', async () => {
    await store.create(key, manifest, go);
    store.read = () => Promise.reject(new WardenError('store-timeout', 'no answer'));
    await expect(commitManifest(store, place, manifest, go)).rejects.toEqual(wardenError('store-timeout'));
  });

  it('hands on what the store refuses', async () => {
    store.create = () => Promise.reject(new WardenError('store-full', 'no room'));
    await expect(commitManifest(store, place, manifest, go)).rejects.toEqual(wardenError('store-full'));
  });
});
