import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDirectoryStore } from '../../../src/adapters/directory/store.ts';
import { runCommandLine } from '../../../src/cli/program.ts';
import { type FakeCluster, startFakeCluster } from '../../e2e/support/fake-cluster.ts';
import { fakeClusterId } from '../../support/fake-etcd.ts';
import { placeAt, storeBackup } from '../../support/sample-backup.ts';
import { asTerminalStream, noProcess, RecordedStream, runCli, type Ran } from '../streams.ts';
import { type ConfigFile, writeClusterConfig } from './cluster-config.ts';

describe('status on the command line', () => {
  let made: AsyncDisposableStack;
  let cluster: FakeCluster;
  let config: ConfigFile;

  beforeEach(async () => {
    made = new AsyncDisposableStack();
    cluster = made.use(await startFakeCluster([{}, {}]));
    config = made.use(await writeClusterConfig(cluster.section));
  });

  afterEach(() => made.disposeAsync());

  const run = (...args: string[]): Promise<Ran> => runCli([...args, '--config', config.path, '--log-level', 'silent']);

  it('prints the members and the newest backup of each repository', async () => {
    const place = {
      ...placeAt('2026-11-25T09:00:00Z'),
      cluster: 'test',
      lineage: fakeClusterId.toString(16).padStart(16, '0'),
    };
    await storeBackup(createDirectoryStore({ path: config.store, onLeftover: () => undefined }), place);
    const ran = await run('status');
    expect([ran.status, ran.stderr]).toEqual([0, '']);
    expect(ran.stdout).toMatch(
      /^cluster c1 at 20\d\d-\S+Z\n {2}MEMBER [^]*\n {2}m1 +leader [^]*\n {2}m2 +follower [^]*no alarms\n/,
    );
    expect(ran.stdout).toMatch(new RegExp(`newest backups\n.*\n {2}local .* ${place.id.text}\n$`));
    expect((await run('status', '--json')).json()).toMatchObject({
      clusterId: 'c1',
      members: [{ name: 'm1', role: 'leader' }, { name: 'm2' }],
      repositories: [{ name: 'local', newest: { id: place.id.text, verifiedAt: null }, error: null }],
    });
  });

  it('changes nothing', async () => {
    await run('status');
    expect(cluster.calls('Defragment', 'MoveLeader', 'Put')).toEqual([]);
  });

  it('ends with 1 where nobody can be asked', async () => {
    config = made.use(await writeClusterConfig({ name: 'test', endpoints: ['http://127.0.0.1:1'] }));
    const ran = await run('status', '--json');
    expect([ran.status, ran.json()]).toMatchObject([1, { error: { code: 'etcd-unreachable' } }]);
  });

  it.each([
    [['status', '--watch', '--json'], /--watch prints again and again and --json one document/],
    [['status', '--watch', '500ms'], /a duration of at least 1s/],
    [['status', '--watch', 'often'], /a duration of at least 1s/],
  ])('%s is wrong usage, and nobody is asked', async (args, message) => {
    const ran = await run(...args);
    expect([ran.status, `${ran.stdout}${ran.stderr}`]).toEqual([2, expect.stringMatching(message)]);
    expect(cluster.calls('Status')).toEqual([]);
  });

  it('watches until it is told to stop, one table after the other, and clears nothing', async () => {
    const stop = new AbortController();
    const [stdout, stderr] = [new RecordedStream(), new RecordedStream()];
    const surroundings = { ...noProcess, env: {}, stdout: asTerminalStream(stdout), stderr: asTerminalStream(stderr) };
    const tables = (): number => stdout.text.split('no alarms\n').length - 1;
    stdout.on('data', () => {
      if (tables() === 2) stop.abort(new Error('SIGINT'));
    });
    const args = ['status', '--watch', '1s', '--config', config.path, '--log-level', 'silent'];
    expect(await runCommandLine(args, surroundings, stop.signal)).toBe(0);
    expect([tables(), stderr.text]).toEqual([2, '']);
    expect(stdout.text).toMatch(/^cluster c1 at \S+\n[^]*no alarms\n\ncluster c1 at \S+\n[^]*no alarms\n$/);
    expect(stdout.text).not.toContain('\u001B');
    expect(stdout.text).not.toContain('newest backups');
  });

  it('goes on watching while the members are away: that is what one watches for', async () => {
    config = made.use(await writeClusterConfig({ name: 'test', endpoints: ['http://127.0.0.1:1'] }));
    const stop = new AbortController();
    const [stdout, stderr] = [new RecordedStream(), new RecordedStream()];
    const surroundings = { ...noProcess, env: {}, stdout: asTerminalStream(stdout), stderr: asTerminalStream(stderr) };
    stdout.on('data', () => {
      if (stdout.text.split('no member list: ').length === 3) stop.abort(new Error('SIGINT'));
    });
    const args = ['status', '--watch', '1s', '--config', config.path, '--log-level', 'silent'];
    expect(await runCommandLine(args, surroundings, stop.signal)).toBe(0);
    expect(stdout.text).toMatch(/^no member list: .*127\.0\.0\.1:1.*\n\nno member list: .*\n$/);
  });
});
