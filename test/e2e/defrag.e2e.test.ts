import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Cluster, type ClusterMember, startCluster } from '../support/etcd.ts';
import { etcdVersions } from '../support/toolchain.ts';
import { fragment, hashesAt, readMemberStates, revisionOf, waitUntilReclaimable } from './defrag/fragment.ts';
import { readDefragCalls } from './defrag/member-log.ts';
import { SteadyWriter } from './defrag/steady-writer.ts';
import { type DefragDocument, makeWorkplace, skippedIn, type Workplace } from './support/defrag-command.ts';
import { fill, leaderOf } from './support/filled-cluster.ts';
import { requireStatus } from './support/warden-process.ts';

/** `defrag` on real members, judged by what their own logs, sizes and hashes say. */

/** Twice as much in the database. */
const liveMb = 20;
const garbageMb = 60;
const policy = { rules: [{ fragmentationAbove: '45%', reclaimableAbove: '16MiB' }], pause: '1s' };
/** So that a member logs what it is asked to do. */
const args = ['--log-level=info'];

let place: Workplace;
beforeEach(async () => {
  place = await makeWorkplace();
});
afterEach(async () => {
  await place[Symbol.asyncDispose]();
});

const sectionOf = ({ endpoints }: Cluster): object => ({ name: 'test', endpoints });

async function defrag(exitStatus: number, ...options: readonly string[]): Promise<DefragDocument> {
  return requireStatus(await place.run('defrag', ...options), exitStatus).json() as DefragDocument;
}

/** Names of members in the order in which their logs say that they were defragmented. */
function orderOfWork(members: readonly ClusterMember[]): string[] {
  return members
    .flatMap(({ name, process }) => readDefragCalls(name, process.output()))
    .sort((a, b) => a.beganMs - b.beganMs)
    .map(({ member }) => member);
}

// field: F065
test.each(etcdVersions)(
  'etcd %s: what the plan says is done, followers first, the leader last, and writers through the others notice nothing',
  async (version) => {
    await using cluster = await startCluster({ version, members: 3, args });
    const leader = await leaderOf(cluster);
    await fill(leader.endpoint, liveMb);
    await fragment(cluster, garbageMb);
    await place.configure({ cluster: sectionOf(cluster), defrag: policy });
    const revision = await revisionOf(cluster);
    const hashes = await hashesAt(cluster, revision);
    expect(new Set(hashes).size).toBe(1);
    const sizes = (await readMemberStates(cluster)).map(({ dbSize }) => dbSize);

    const planned = await defrag(0, '--dry-run');
    expect(orderOfWork(cluster.members)).toEqual([]);
    const writer = new SteadyWriter(cluster);
    const done = await defrag(0);
    await writer[Symbol.asyncDispose]();

    const stepsOf = ({ steps }: DefragDocument): object[] =>
      steps.map(({ member, role, moveLeaderTo }) => ({ member, role, moveLeaderTo }));
    expect(stepsOf(done)).toEqual(stepsOf(planned));
    const order = planned.steps.map(({ member }) => member);
    expect(order.toSorted()).toEqual(['m1', 'm2', 'm3']);
    expect(order.at(-1)).toBe(leader.name);
    expect(done.members.map(({ name }) => name)).toEqual(order);
    expect(done.moves).toEqual([{ from: leader.name, to: planned.steps.at(-1)?.moveLeaderTo }]);
    expect(orderOfWork(cluster.members)).toEqual(order);
    expect((await leaderOf(cluster)).name).toBe(done.moves[0]?.to);

    const states = await readMemberStates(cluster);
    states.forEach(({ dbSize }, index) => expect(dbSize).toBeLessThan((sizes[index] ?? 0) * 0.5));
    expect(await hashesAt(cluster, revision)).toEqual(hashes);
    expect(new Set(await hashesAt(cluster, await revisionOf(cluster))).size).toBe(1);

    expect(writer.failures).toBe(0);
    const calls = cluster.members.flatMap(({ name, process }) => readDefragCalls(name, process.output()));
    for (const { member, beganMs, endedMs = 0 } of calls) {
      const meanwhile = writer.attempts.filter((attempt) => attempt.beganMs >= beganMs && attempt.beganMs < endedMs);
      const through = meanwhile.filter((attempt) => attempt.member !== member);
      expect(through.filter(({ failure }) => failure !== undefined)).toEqual([]);
      expect(through.length, `writes while ${member} was at work`).toBeGreaterThan(2);
    }

    const again = await defrag(0);
    expect([again.steps, again.members, again.moves]).toEqual([[], [], []]);
    expect(orderOfWork(cluster.members)).toEqual(order);
  },
);

describe('one cluster of etcd 3.6', () => {
  // field: F058
  // field: F060
  test('--member and --force-rule choose, a learner is passed by, an unstarted member stops everything', async () => {
    await using cluster = await startCluster({ members: 3, args });
    await fragment(cluster, 24);
    await place.configure({ cluster: sectionOf(cluster), defrag: { ...policy, pause: '0s', minReclaim: '1MiB' } });
    const leader = await leaderOf(cluster);
    const follower = cluster.members.find(({ name }) => name !== leader.name)?.name ?? '';

    const one = await defrag(0, '--member', follower);
    expect(one.members.map(({ name }) => name)).toEqual([follower]);
    expect((await defrag(0, '--member', follower)).members).toEqual([]);
    const forced = await defrag(0, '--member', follower, '--force-rule');
    expect(forced.members.map(({ name }) => name)).toEqual([follower]);
    expect((await defrag(2, '--member', 'm9')).error).toMatchObject({ code: 'usage' });
    expect(orderOfWork(cluster.members)).toEqual([follower, follower]);

    const learner = await cluster.join('m4', { learner: true });
    const rest = await defrag(0);
    expect(rest.members.map(({ name }) => name).toSorted()).toEqual(
      cluster.members.map(({ name }) => name).filter((name) => name !== follower),
    );
    expect(skippedIn(rest)).toMatchObject({ m4: expect.stringContaining('learner') as string });
    expect(readDefragCalls('m4', learner.process.output())).toEqual([]);

    await fragment(cluster, 24);
    await cluster.etcdctl(['member', 'promote', await idOf(cluster, 'm4')]);
    await cluster.etcdctl(['member', 'add', 'm5', '--peer-urls=http://127.0.0.1:9']);
    const before = orderOfWork([...cluster.members, learner]);
    const refused = await defrag(4, '--force-rule');
    expect(refused.error).toMatchObject({ code: 'defrag-refused', details: { because: 'unstarted-member' } });
    expect(orderOfWork([...cluster.members, learner])).toEqual(before);
  });

  test('a single member is refused, unless it may stop serving', async () => {
    await using cluster = await startCluster({ args });
    await fragment(cluster, 24);
    const defragSection = { ...policy, minReclaim: '1MiB' };
    await place.configure({ cluster: sectionOf(cluster), defrag: defragSection });
    expect((await defrag(4)).error).toMatchObject({ code: 'defrag-refused', details: { because: 'single-member' } });
    expect(orderOfWork(cluster.members)).toEqual([]);
    await place.configure({ cluster: sectionOf(cluster), defrag: { ...defragSection, allowSingleMember: true } });
    expect((await defrag(0)).members).toHaveLength(1);
    expect(orderOfWork(cluster.members)).toEqual(['m1']);
  });

  test('goes over mTLS and with authentication as well', async () => {
    const auth = { user: 'warden', password: 'correct horse' };
    await using cluster = await startCluster({ members: 3, tls: 'mtls', auth, args });
    const files = cluster.certificates;
    if (files === undefined) throw new Error('a cluster without certificates');
    // An argument holds at most 128 KiB.
    const value = 'x'.repeat(120_000);
    for (let index = 0; index < 40; index++) await cluster.etcdctl(['put', 'garbage', value]);
    for (let index = 0; index < 10; index++) await cluster.etcdctl(['put', `/tick/${index}`, '']);
    await cluster.etcdctl(['compact', '--physical', String(await revisionOf(cluster))]);
    await waitUntilReclaimable(cluster, 3_000_000);
    await place.configure({
      cluster: {
        ...sectionOf(cluster),
        tls: { caFile: files.caFile, certFile: files.client.certFile, keyFile: files.client.keyFile },
        auth: { username: auth.user, passwordFile: await place.write('password', auth.password) },
      },
      defrag: { rules: [{ reclaimableAbove: '2MiB' }], minReclaim: '1MiB', pause: '0s' },
    });
    const leader = await leaderOf(cluster);
    expect((await defrag(0)).members).toHaveLength(3);
    const order = orderOfWork(cluster.members);
    expect(order.toSorted()).toEqual(['m1', 'm2', 'm3']);
    expect(order.at(-1)).toBe(leader.name);
  });
});

async function idOf(cluster: Cluster, name: string): Promise<string> {
  const line = (await cluster.etcdctl(['member', 'list'])).split('\n').find((one) => one.includes(` ${name},`));
  return line?.split(',')[0] ?? '';
}

// field: F079
test.each(etcdVersions)(
  'etcd %s out of space is cured without the lock, its alarm is lifted, and writes go on',
  async (version) => {
    const quotaArgs = ['--quota-backend-bytes=41943040'];
    await using cluster = await startCluster({ version, members: 3, args: [...args, ...quotaArgs] });
    await expect(fragment(cluster, 80)).rejects.toThrow('space exceeded');
    await cluster.etcdctl(['del', '--prefix', '/garbage/']);
    await cluster.etcdctl(['compact', '--physical', String(await revisionOf(cluster))]);
    await waitUntilReclaimable(cluster, 20_000_000);
    await expect(cluster.etcdctl(['put', 'a', 'b'])).rejects.toThrow('space exceeded');
    expect(await cluster.etcdctl(['alarm', 'list'])).toContain('NOSPACE');
    await place.configure({ cluster: sectionOf(cluster), defrag: { ...policy, pause: '0s', minReclaim: '1MiB' } });

    const ended = requireStatus(await place.run('defrag'), 0);
    const done = ended.json() as DefragDocument;
    expect(done.members).toHaveLength(3);
    expect(done.disarmed.length).toBeGreaterThan(0);
    expect(await cluster.etcdctl(['alarm', 'list'])).toBe('');
    await cluster.etcdctl(['put', 'a', 'b']);
    for (const { dbSize } of await readMemberStates(cluster)) expect(dbSize).toBeLessThan(8_000_000);
  },
);
