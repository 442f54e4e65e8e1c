import { expect, it } from 'vitest';
import { recordEvidence } from '../../src/repository/evidence.ts';
import { createMemoryStore } from '../support/memory-store.ts';
import { placeAt } from '../support/sample-backup.ts';

const go = new AbortController().signal;
const place = placeAt('2026-11-24T14:00:00Z');
const time = new Date('2026-11-25T03:15:00.250Z');

it('evidence says what was found about which backup, and when', async () => {
  const store = createMemoryStore();
  await recordEvidence(
    store,
    place,
    { kind: 'damaged', at: time, facts: { code: 'object-damaged', message: 'cut off' } },
    go,
  );
  const [[key, object] = []] = store.objects;
  expect(key).toBe(`prod/0123456789abcdef/${place.id.text}/damaged-20261125T031500Z.json`);
  expect(JSON.parse(object?.bytes.toString() ?? '')).toEqual({
    format: 'etcd-warden-evidence',
    version: 1,
    kind: 'damaged',
    backup: place.id.text,
    at: '2026-11-25T03:15:00.250Z',
    code: 'object-damaged',
    message: 'cut off',
  });
});

it('the same finding twice in one second is recorded once', async () => {
  const store = createMemoryStore();
  await recordEvidence(store, place, { kind: 'verified', at: time, facts: {} }, go);
  await recordEvidence(store, place, { kind: 'verified', at: time, facts: {} }, go);
  expect(store.objects.size).toBe(1);
});
