import { beforeEach, describe, expect, it } from 'vitest';
import { WardenError } from '../../src/errors/warden-error.ts';
import { holdBackup, type HeldBackup } from '../../src/jobs/hold.ts';
import { recordEvidence } from '../../src/repository/evidence.ts';
import { readHold } from '../../src/repository/holds.ts';
import { manifestName, objectKey } from '../../src/repository/layout.ts';
import { wardenError } from '../support/errors.ts';
import { cluster, placeAt, storeBackup } from '../support/sample-backup.ts';
import { clockAt, failingListing, fieldsLog, repositoryNamed, type TestRepository } from './repositories.ts';

const go = new AbortController().signal;
const [older, newer] = [placeAt('2026-11-24T13:00:00Z'), placeAt('2026-11-24T14:00:00Z')];
const at = new Date('2026-11-25T03:15:00Z');
const unreachable = new WardenError('store-unreachable', 'no route');

describe('holding a backup', () => {
  let first: TestRepository;
  let second: TestRepository;
  let log: ReturnType<typeof fieldsLog>;
  const hold = (reference: string, { name = 'manual', reason = 'before 3.7' } = {}, signal = go): Promise<HeldBackup> =>
    holdBackup(
      {
        repositories: [first, second],
        clock: clockAt(at.toISOString()),
        log,
      },
      cluster,
      { reference, name, reason },
      signal,
    );
  const holdsOf = ({ store }: TestRepository): string[] => [...store.objects.keys()].filter((key) => /hold-/.test(key));

  beforeEach(async () => {
    [first, second] = [repositoryNamed('first'), repositoryNamed('second')];
    log = fieldsLog();
    for (const { store } of [first, second]) await storeBackup(store, older);
    await storeBackup(second.store, newer);
  });

  it('writes a hold beside it in every repository, with its reason', async () => {
    expect(await hold(older.id.text)).toEqual({
      backup: older.id.text,
      copies: [
        { repository: 'first', kind: 'held' },
        { repository: 'second', kind: 'held' },
      ],
    });
    for (const { store } of [first, second]) {
      const written = { name: 'manual', reason: 'before 3.7', at, backup: older.id.text };
      expect(await readHold(store, older, 'manual', go)).toEqual(written);
    }
  });

  it('logs one line for each repository, with the reason', async () => {
    await hold(older.id.text, { name: 'audit' });
    expect(log.lines).toEqual(
      ['first', 'second'].map((repository) => [
        'info',
        'backup held',
        { repository, backup: older.id.text, hold: 'audit', reason: 'before 3.7' },
      ]),
    );
  });

  it('holds the same one everywhere, also where `latest` is another one there', async () => {
    expect(await hold('latest')).toEqual({
      backup: newer.id.text,
      copies: [
        { repository: 'first', kind: 'absent' },
        { repository: 'second', kind: 'held' },
      ],
    });
    expect([holdsOf(first), holdsOf(second)]).toEqual([[], [objectKey(newer, 'hold-manual.json')]]);
  });

  it('takes a damaged one by its id', async () => {
    await recordEvidence(first.store, older, { kind: 'damaged', at, facts: {} }, go);
    expect((await hold(older.id.text)).copies.map(({ kind }) => kind)).toEqual(['held', 'held']);
  });

  it('says that it is held already, and why', async () => {
    await hold(older.id.text, { reason: 'the first reason' });
    const { copies } = await hold(older.id.text, { reason: 'another one' });
    expect(copies).toMatchObject([
      { kind: 'held-already', hold: { reason: 'the first reason' } },
      { kind: 'held-already', hold: { reason: 'the first reason' } },
    ]);
  });

  it('can be done under several names', async () => {
    await hold(older.id.text, { name: 'audit' });
    await hold(older.id.text, { name: 'upgrade' });
    expect(holdsOf(first)).toEqual(['audit', 'upgrade'].map((name) => objectKey(older, `hold-${name}.json`)));
  });

  it.each<[string, () => void, string]>([
    ['cannot be listed', () => void (first.store.list = () => failingListing(unreachable)), 'store-unreachable'],
    ['cannot be written to', () => void (first.store.create = () => Promise.reject(unreachable)), 'store-unreachable'],
    [
      'lost it to a prune meanwhile',
      () => {
        const create = first.store.create.bind(first.store);
        first.store.create = async (...args) => {
          await create(...args);
          first.store.objects.delete(objectKey(older, manifestName));
        };
      },
      'backup-not-found',
    ],
  ])('goes on where a repository %s', async (_, prepare, code) => {
    prepare();
    const { copies } = await hold(older.id.text);
    expect(copies).toEqual([
      { repository: 'first', kind: 'failed', error: expect.objectContaining({ code }) as unknown },
      { repository: 'second', kind: 'held' },
    ]);
    expect(log.lines).toContainEqual([
      'error',
      'backup not held',
      expect.objectContaining({ repository: 'first', code }),
    ]);
    expect(holdsOf(first)).toEqual([]);
  });

  it('rejects where no repository has it', async () => {
    await expect(hold('2025')).rejects.toEqual(wardenError('backup-not-found', 'first', 'second'));
  });

  it('rejects when it is interrupted in the middle', async () => {
    const stop = new AbortController();
    first.store.create = async () => {
      stop.abort(new WardenError('interrupted', 'ended by SIGTERM'));
      throw unreachable;
    };
    await expect(hold(older.id.text, {}, stop.signal)).rejects.toEqual(wardenError('interrupted', 'SIGTERM'));
  });
});
