import { describe, expect, it } from 'vitest';
import { errorTable, type ErrorCode } from '../../src/errors/table.ts';
import { WardenError } from '../../src/errors/warden-error.ts';
import { noMemberServed, triesNextMember } from '../../src/snapshot/fail-over.ts';

const codes = Object.keys(errorTable) as ErrorCode[];
const of = (code: ErrorCode, message: string = code): WardenError => new WardenError(code, message);

describe('after a failure', () => {
  it.each([
    'stream-interrupted',
    'stream-short',
    'etcd-unreachable',
    'trailer-mismatch',
    'snapshot-damaged',
    'too-complex',
  ] as const)('%s another member is tried', (code) => {
    expect(triesNextMember(of(code))).toBe(true);
  });

  it('that a store, a key or the configuration caused, no other member is tried', () => {
    const ours = codes.filter((code) => /^(store|key|config|no-backup|secret|file)-/.test(code));
    expect(ours.filter((code) => triesNextMember(of(code)))).toEqual([]);
  });

  it.each(['stream-held-too-long', 'interrupted', 'internal', 'not-encrypted'] as const)(
    '%s no other member is tried',
    (code) => {
      expect(triesNextMember(of(code))).toBe(false);
    },
  );
});

describe('the error of a run that no member served', () => {
  it('is the common one', () => {
    const first = of('etcd-permission-denied', 'needs the root role');
    expect(noMemberServed([first], [])).toBe(first);
    expect(noMemberServed([first, of('etcd-permission-denied')], [])).toMatchObject({
      code: first.code,
      hint: first.hint,
    });
  });

  it('lists every member with its reason where they differ', () => {
    const skipped = [
      { name: 'm1', reason: 'a learner' },
      { name: 'm2', reason: 'broke off' },
      { name: 'm3', reason: 'ended early' },
    ];
    expect(
      noMemberServed([of('stream-interrupted', 'broke off'), of('stream-stalled', 'stalled')], skipped),
    ).toMatchObject({
      code: 'no-member',
      message: 'no member could serve a snapshot; broke off; stalled',
      details: {
        codes: ['stream-interrupted', 'stream-stalled'],
        members: ['m1: a learner', 'm2: broke off', 'm3: ended early'],
      },
    });
  });

  it('is damage where any member had it, because that is the worse news', () => {
    const failures = [of('stream-stalled'), of('snapshot-damaged')];
    expect(noMemberServed(failures, [])).toMatchObject({ code: 'snapshot-damaged', exitStatus: 3 });
  });

  it('lists why each was skipped where none was even tried', () => {
    expect(noMemberServed([], [{ name: 'm1', reason: 'a learner' }]).message).toContain('m1: a learner');
  });
});
