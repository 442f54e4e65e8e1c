import { describe, expect, it } from 'vitest';
import { surveyMembers, type Survey } from '../../src/snapshot/survey-members.ts';
import { wardenError } from '../support/errors.ts';
import { clusterId, refuses, scriptedEtcd, type MemberScript, type ScriptedEtcd } from '../support/scripted-etcd.ts';

const go = new AbortController().signal;
const survey = (scripts: readonly MemberScript[]): Promise<Survey> => surveyMembers(scriptedEtcd(scripts), go);

/** A member that answers nothing at all. */
const dead = (code: Parameters<typeof refuses>[0] = 'etcd-unreachable', text?: string): MemberScript => {
  const error = refuses(code, text);
  return { status: error, readRevision: error, alarms: error };
};

describe('a survey of the members', () => {
  it('tells how each member is, and the revision of a linearizable read', async () => {
    const found = await survey([{}, { isLearner: true }, { status: { revision: 7n } }]);
    expect(found).toMatchObject({ clusterId, readRevision: 8n, noReadBecause: undefined, absent: [] });
    expect(found.members.map(({ name, status }) => [name, status?.revision, status?.isLearner])).toEqual([
      ['m1', 8n, false],
      ['m2', 8n, true],
      ['m3', 7n, false],
    ]);
  });

  // field: F049
  it.each([
    ['first', [dead(), {}, {}]],
    ['last', [{}, {}, dead()]],
    ['two of three', [dead(), {}, dead()]],
  ])('goes on although the %s did not answer', async (_, scripts) => {
    const found = await survey(scripts);
    expect(found.readRevision).toBe(8n);
    expect(found.members.map(({ status, unreachable }) => (status === undefined ? unreachable : 'answered'))).toEqual(
      scripts.map((script) => ('status' in script ? 'etcd-unreachable' : 'answered')),
    );
  });

  it.each(['etcd-deadline', 'etcd-no-leader', 'etcd-unreachable'] as const)(
    'goes on without quorum, and says so: %s',
    async (code) => {
      const found = await survey([{ readRevision: refuses(code, 'm1 says no') }, dead(), dead()]);
      expect(found).toMatchObject({ readRevision: undefined, noReadBecause: 'no quorum: m1 says no' });
    },
  );

  it('does not speak of quorum where the read was merely not allowed', async () => {
    const found = await survey([{ readRevision: refuses('etcd-permission-denied', 'm1 says no') }]);
    expect(found.noReadBecause).toBe('no linearizable read: m1 says no');
  });

  it('takes the read of whichever voter can give one, and asks no learner for it', async () => {
    const cutOff = { readRevision: refuses('etcd-no-leader') };
    expect((await survey([cutOff, { readRevision: 99n }, cutOff])).readRevision).toBe(99n);
    expect((await survey([cutOff, { isLearner: true, readRevision: 99n }])).readRevision).toBeUndefined();
  });

  it('learns of CORRUPT from the status of members where no alarm list can be had, as without quorum', async () => {
    const alarms = refuses('etcd-deadline');
    const status = { errors: ['etcdserver: no leader', 'memberID:2  alarm:CORRUPT'] };
    const found = await survey([{ alarms, status }, { alarms }, { alarms }]);
    expect(found.members.map(({ hasCorruptAlarm }) => hasCorruptAlarm)).toEqual([false, true, false]);
  });

  it('marks the members that a CORRUPT alarm names, by whichever member tells of it', async () => {
    const alarms = [
      { memberId: 2n, type: 'CORRUPT' },
      { memberId: 3n, type: 'NOSPACE' },
    ] as const;
    const found = await survey([dead(), {}, { alarms }, {}]);
    expect(found.members.map(({ hasCorruptAlarm }) => hasCorruptAlarm)).toEqual([false, false, false, false]);
    const known = await survey([{ alarms }, { alarms }, { alarms }]);
    expect(known.members.map(({ hasCorruptAlarm }) => hasCorruptAlarm)).toEqual([false, true, false]);
  });

  it('goes on where nobody tells of alarms', async () => {
    const alarms = refuses('etcd-permission-denied');
    expect((await survey([{ alarms }, { alarms }])).members.map(({ hasCorruptAlarm }) => hasCorruptAlarm)).toEqual([
      false,
      false,
    ]);
  });

  // field: F060
  it('names members that were never started and endpoints that did not answer', async () => {
    const etcd = scriptedEtcd(
      [{}, { endpoint: undefined, name: 'new' }, { endpoint: undefined, name: '', id: 0xabcn }],
      [{ endpoint: 'https://10.0.0.9:2379', error: new Error('no route') }],
    );
    const found = await surveyMembers(etcd, go);
    expect(found.members).toHaveLength(1);
    expect(found.absent).toEqual([
      { name: 'https://10.0.0.9:2379', reason: 'no route' },
      { name: 'new', reason: 'was added to the cluster but never started' },
      { name: 'abc', reason: 'was added to the cluster but never started' },
    ]);
  });

  it('refuses a member of another cluster', async () => {
    const found = await survey([{}, { status: { clusterId: 0x99n } }]);
    expect(found.members[1]).toMatchObject({
      status: undefined,
      error: wardenError('etcd-cluster-mismatch', '99', '123456789abcdef'),
    });
  });

  it('rejects with the common error where every member is refused for the same reason', async () => {
    const denied = dead('etcd-permission-denied', 'needs the root role');
    await expect(survey([denied, denied])).rejects.toEqual(
      wardenError('etcd-permission-denied', 'needs the root role'),
    );
  });

  it('rejects with every reason where they differ', async () => {
    await expect(survey([dead('etcd-deadline', 'slow'), dead('etcd-unreachable', 'gone')])).rejects.toEqual(
      wardenError('no-member', 'slow', 'gone'),
    );
  });

  it('rejects with a reason where no member was ever started', async () => {
    await expect(survey([{ endpoint: undefined }])).rejects.toEqual(wardenError('no-member', 'started'));
  });

  it('rejects with the reason of the interruption, whatever that did to the members', async () => {
    const stop = new AbortController();
    const etcd = scriptedEtcd([{}]);
    const interrupted: ScriptedEtcd = {
      ...etcd,
      discover: async (signal) => {
        const view = await etcd.discover(signal);
        stop.abort(refuses('interrupted', 'ended by SIGTERM'));
        return view;
      },
    };
    await expect(surveyMembers(interrupted, stop.signal)).rejects.toEqual(wardenError('interrupted', 'SIGTERM'));
    expect(etcd.openClients()).toBe(0);
  });

  it('keeps a client open for each member until it is disposed, and none if it rejects', async () => {
    const etcd = scriptedEtcd([{}, {}]);
    {
      await using _ = await surveyMembers(etcd, go);
      expect(etcd.openClients()).toBe(2);
    }
    expect(etcd.openClients()).toBe(0);
    const broken = scriptedEtcd([dead(), dead()]);
    await expect(surveyMembers(broken, go)).rejects.toMatchObject({ code: 'etcd-unreachable' });
    expect(broken.openClients()).toBe(0);
  });
});
