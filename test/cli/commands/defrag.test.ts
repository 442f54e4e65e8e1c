import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FakeCluster, startFakeCluster } from '../../e2e/support/fake-cluster.ts';
import { runCli, type Ran } from '../streams.ts';
import { type ConfigFile, writeClusterConfig } from './cluster-config.ts';

describe('defrag on the command line', () => {
  let made: AsyncDisposableStack;
  let cluster: FakeCluster;
  let config: ConfigFile;

  beforeEach(async () => {
    made = new AsyncDisposableStack();
    cluster = made.use(await startFakeCluster([{}, {}, {}]));
    config = made.use(await writeClusterConfig(cluster.section));
  });

  afterEach(() => made.disposeAsync());

  const run = (...args: string[]): Promise<Ran> =>
    runCli(['defrag', ...args, '--config', config.path, '--log-level', 'silent']);
  const sent = (): string[] => cluster.calls('Defragment', 'MoveLeader').map(({ member }) => member);
  const errorOf = (ran: Ran): unknown => ran.json()['error'];

  it('shows the plan, carries it out and tells what came back', async () => {
    const dry = await run('--dry-run');
    expect([dry.status, sent()]).toEqual([0, []]);
    const real = await run();
    expect([real.status, real.stderr, sent()]).toEqual([0, '', ['m2', 'm3', 'm1', 'm1']]);
    expect(real.stdout.startsWith(dry.stdout)).toBe(true);
    expect(real.stdout.slice(dry.stdout.length)).toMatch(
      /^\nMEMBER +BEFORE +AFTER +TOOK +RESULT\nm2 .*768\.0 MiB reclaimed\nm3 .*\nm1 .*\nleadership was moved from m1 to m2\n$/,
    );
  });

  it('prints one document with --json, of a dry run and of a real one', async () => {
    expect((await run('--dry-run', '--json')).json()).toMatchObject({ dryRun: true, verdict: 'go' });
    const real = await run('--json');
    expect(real.json()).toMatchObject({
      dryRun: false,
      moves: [{ from: 'm1', to: 'm2' }],
      members: [{ name: 'm2', reclaimedBytes: 768 * 2 ** 20, error: null }, { name: 'm3' }, { name: 'm1' }],
      stoppedBy: null,
    });
  });

  it('ends with 0 and says so where nothing is due', async () => {
    for (const member of cluster.members) member.inUseBytes = member.dbSizeBytes;
    const ran = await run();
    expect([ran.status, ran.stdout.split('\n')[0], sent()]).toEqual([0, 'nothing to defragment', []]);
  });

  it('ends with 4 where it is refused, with the reason and its hint, in a dry run as well', async () => {
    for (const args of [['--dry-run'], []]) {
      Object.assign(cluster.members[2] ?? {}, { behind: 5000 });
      const ran = await run(...args, '--json');
      expect(ran.status).toBe(4);
      expect(errorOf(ran)).toMatchObject({
        code: 'defrag-refused',
        details: { because: 'lagging-voter' },
        hint: expect.stringContaining('caught up') as string,
      });
    }
    expect(sent()).toEqual([]);
    expect((await run()).stdout).toMatch(/^nothing is defragmented \(lagging-voter\): /);
  });

  it('ends with 5 where some were done before it stopped, and names both', async () => {
    const [, m2] = cluster.members;
    if (m2 === undefined) throw new Error('m2 is missing');
    m2.defragment = async () => {
      m2.dbSizeBytes = m2.inUseBytes;
      m2.behind = 5000;
    };
    const ran = await run('--json');
    expect([ran.status, sent()]).toEqual([5, ['m2']]);
    expect(ran.json()).toMatchObject({
      members: [{ name: 'm2', error: null }],
      stoppedBy: { code: 'defrag-refused' },
      error: {
        code: 'partly-defragmented',
        message: expect.stringMatching(/^m2 done, then: nothing more is defragmented \(lagging-voter\): /) as string,
        hint: expect.stringContaining('caught up') as string,
        details: { because: 'lagging-voter', finished: ['m2'], code: 'defrag-refused' },
      },
    });
  });

  it('ends with 1 where the first one fails, after the table of what happened', async () => {
    Object.assign(cluster.members[1] ?? {}, { defragment: () => Promise.reject(new Error('tx closed')) });
    const ran = await run();
    expect([ran.status, sent()]).toEqual([1, ['m2']]);
    expect(ran.stdout).toMatch(/\nm2 .* defrag-failed\n/);
    expect(ran.stderr).toMatch(/^error: member m2 could not be defragmented: .*tx closed/);
  });

  it('does one member by its name or its id, whatever the rules say', async () => {
    for (const member of cluster.members) member.inUseBytes = member.dbSizeBytes;
    expect((await run('--member', 'm3', '--force-rule')).status).toBe(0);
    expect((await run('--member', cluster.members[1]?.id.toString(16) ?? '', '--force-rule')).status).toBe(0);
    expect(sent()).toEqual(['m3', 'm2']);
  });

  it('takes a member that there is not for wrong usage, and names those that there are', async () => {
    const ran = await run('--member', 'm9');
    expect([ran.status, ran.stderr.split('\n')[0], sent()]).toEqual([
      2,
      'error: --member must be one of m1, m2, m3, got "m9"',
      [],
    ]);
  });

  // field: F070
  it('defragments releases with known harm only where that is accepted', async () => {
    for (const member of cluster.members) member.version = '3.5.9';
    const refused = await run('--json');
    expect([refused.status, errorOf(refused)]).toMatchObject([4, { details: { because: 'unsafe-version' } }]);
    expect((await run('--accept-unsafe-version')).status).toBe(0);
  });

  it('obeys the rules of the configuration and the size that it gives as quota', async () => {
    config = made.use(
      await writeClusterConfig(
        { ...cluster.section, quota: '1GiB' },
        { rules: [{ usageAbove: '99%' }], emergencyUsage: '95%' },
      ),
    );
    expect((await run('--dry-run', '--json')).json()).toMatchObject({
      steps: [{ member: 'm2', isEmergency: true, reasons: ['rule 1: usage 100% is above 99%'] }, {}, {}],
    });
  });

  it('defragments nothing before there is a backup where one is required', async () => {
    config = made.use(await writeClusterConfig(cluster.section, { requireBackupWithin: '24h' }));
    const ran = await run('--json');
    expect([ran.status, errorOf(ran)]).toMatchObject([4, { details: { because: 'no-recent-backup' } }]);
  });
});
