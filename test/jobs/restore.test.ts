import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { WardenError } from '../../src/errors/warden-error.ts';
import { restoreLocalFile, restoreToFile, type RestoredSnapshot } from '../../src/jobs/restore.ts';
import { snapshotName } from '../../src/repository/layout.ts';
import { etcdSnapshot } from '../support/crafted-etcd-snapshot.ts';
import { wardenError } from '../support/errors.ts';
import { createMemoryFiles, type MemoryFiles } from '../support/memory-files.ts';
import { cluster, placeAt } from '../support/sample-backup.ts';
import {
  alter,
  flipLastBit,
  recordingLog,
  repositoryNamed,
  silent,
  storeSnapshot,
  type TestRepository,
} from './repositories.ts';

const go = new AbortController().signal;
const place = placeAt('2026-11-24T14:00:00Z');
const stored = snapshotName('.zst');

describe('restoring a snapshot file', () => {
  let snapshot: Buffer;
  let files: MemoryFiles;

  beforeAll(() => {
    snapshot = etcdSnapshot();
  });

  beforeEach(() => {
    files = createMemoryFiles();
  });

  describe('from a repository', () => {
    let first: TestRepository;
    let second: TestRepository;
    let log: ReturnType<typeof recordingLog>;
    const restore = (reference = 'latest', signal = go): Promise<RestoredSnapshot> =>
      restoreToFile(
        { repositories: [first, second], identities: [], encrypts: false, files, log, progress: silent },
        cluster,
        reference,
        '/out/s.db',
        signal,
      );

    beforeEach(async () => {
      [first, second] = [repositoryNamed('first'), repositoryNamed('second')];
      log = recordingLog();
      for (const { store } of [first, second]) await storeSnapshot(store, place, snapshot);
    });

    it('writes the very bytes that etcd sent, and says where', async () => {
      const restored = await restore();
      expect(restored).toMatchObject({
        path: '/out/s.db',
        sizeBytes: snapshot.length,
        revision: 8n,
        source: { repository: 'first' },
      });
      expect(files.contents.get('/out/s.db')?.equals(snapshot)).toBe(true);
      expect(files.pending.size).toBe(0);
    });

    // field: F012
    it.each<[string, () => unknown]>([
      ['is damaged', () => alter(first, place, stored, flipLastBit)],
      ['was cut off', () => alter(first, place, stored, (bytes) => bytes.subarray(0, -1))],
      ['holds nothing', () => first.store.objects.clear()],
      [
        'cannot be read',
        () => void (first.store.read = () => Promise.reject(new WardenError('store-timeout', 'no answer'))),
      ],
    ])('falls through to the second repository where the first %s', async (_, break_) => {
      break_();
      expect((await restore()).source?.repository).toBe('second');
      expect(files.contents.get('/out/s.db')?.equals(snapshot)).toBe(true);
      expect(log.lines).toEqual(['warn repository could not serve']);
    });

    // field: F035
    it('leaves no file where no repository can serve, and calls damage the worst of the reasons', async () => {
      first.store.read = () => Promise.reject(new WardenError('store-timeout', 'no answer'));
      alter(second, place, stored, flipLastBit);
      await expect(restore()).rejects.toEqual(wardenError('object-damaged', 'no answer', 'SHA-256'));
      expect([files.contents.size, files.pending.size]).toEqual([0, 0]);
    });

    it('rejects with the common reason where there is one', async () => {
      await expect(restore('20270101')).rejects.toEqual(wardenError('backup-not-found', '20270101'));
    });

    it('overwrites nothing, and does not read for it either', async () => {
      files.contents.set('/out/s.db', Buffer.from('precious'));
      const asked = vi.spyOn(first.store, 'list');
      await expect(restore()).rejects.toEqual(wardenError('target-exists', '/out/s.db'));
      expect(asked).not.toHaveBeenCalled();
      expect(files.contents.get('/out/s.db')?.toString()).toBe('precious');
    });

    it('does not try another repository where the file itself fails', async () => {
      const before = { ...files };
      files.create = async (target) => ({
        ...(await before.create(target)),
        write: () => Promise.reject(new WardenError('file-failed', 'no space left')),
      });
      const asked = vi.spyOn(second.store, 'list');
      await expect(restore()).rejects.toEqual(wardenError('file-failed', 'no space left'));
      expect([files.pending.size, asked.mock.calls.length]).toEqual([0, 0]);
    });

    it('stops when it is interrupted, and leaves no file', async () => {
      const stop = new AbortController();
      const before = { ...first.store };
      first.store.read = async (key, options, signal) => {
        const body = await before.read(key, options, signal);
        if (key.endsWith(stored)) stop.abort(new WardenError('interrupted', 'ended by SIGTERM'));
        return body;
      };
      await expect(restore('latest', stop.signal)).rejects.toEqual(wardenError('interrupted', 'SIGTERM'));
      expect([files.contents.size, files.pending.size]).toEqual([0, 0]);
    });
  });

  describe('from a local file', () => {
    const restore = (source: string): Promise<RestoredSnapshot> =>
      restoreLocalFile({ identities: [], files, progress: silent }, source, '/out/s.db', go);

    it('writes what is inside once it has proved itself', async () => {
      files.contents.set('/in/s.db', snapshot);
      expect(await restore('/in/s.db')).toMatchObject({ path: '/out/s.db', revision: 8n, source: undefined });
      expect(files.contents.get('/out/s.db')?.equals(snapshot)).toBe(true);
    });

    // field: F013
    it.each<[string, (bytes: Buffer) => Buffer, string]>([
      ['a flipped bit', flipLastBit, 'trailer-mismatch'],
      ['no trailer', (bytes) => bytes.subarray(0, -32), 'trailer-missing'],
      ['half of its pages and the right remainder', (bytes) => bytes.subarray(0, 4 * 4096 + 32), 'trailer-mismatch'],
    ])('refuses one with %s and leaves no file', async (_, damage, code) => {
      files.contents.set('/in/s.db', damage(Buffer.from(snapshot)));
      await expect(restore('/in/s.db')).rejects.toMatchObject({ code });
      expect([...files.contents.keys(), ...files.pending, ...files.reading]).toEqual(['/in/s.db']);
    });

    it('overwrites nothing, and leaves neither file open', async () => {
      files.contents.set('/in/s.db', snapshot);
      files.contents.set('/out/s.db', Buffer.from('precious'));
      await expect(restore('/in/s.db')).rejects.toEqual(wardenError('target-exists'));
      expect([...files.pending, ...files.reading]).toEqual([]);
    });

    // field: F009
    it('begins no file for what is no snapshot', async () => {
      files.contents.set('/in/list.yaml', Buffer.from('kind: List\n'));
      await expect(restore('/in/list.yaml')).rejects.toEqual(wardenError('not-a-snapshot', 'text'));
      expect([...files.contents.keys(), ...files.pending]).toEqual(['/in/list.yaml']);
    });
  });
});
