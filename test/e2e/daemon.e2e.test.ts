import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Etcd3 } from 'etcd3';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startCluster, type Cluster } from '../support/etcd.ts';
import { freePorts } from '../support/process.ts';
import { fill } from './support/filled-cluster.ts';
import { localRepository } from './support/places.ts';
import { startAgent, until, type RunningAgent } from './support/running-agent.ts';
import { requireStatus, startWarden } from './support/warden-process.ts';
import { makeTempFolder, runWarden, writeConfig, type TempFolder } from './support/warden.ts';

describe('The daemon', () => {
  let cluster: Cluster;
  let folder: TempFolder;
  let repository: string;

  beforeAll(async () => {
    cluster = await startCluster();
    await fill(cluster.endpoints[0] ?? '', 100);
  });
  afterAll(() => cluster[Symbol.asyncDispose]());

  beforeEach(async () => {
    folder = await makeTempFolder();
    repository = join(folder.path, 'repository');
    await mkdir(repository);
  });
  afterEach(() => folder[Symbol.asyncDispose]());

  const configure = (listen: string, sections: object = {}): Promise<string> =>
    writeConfig(folder.path, {
      cluster: { name: 'prod', endpoints: cluster.endpoints },
      encryption: 'none',
      repositories: [localRepository(repository)],
      watch: { repositories: '10s', members: '5s' },
      http: { listen },
      ...sections,
    });
  const start = (sections: object = {}): Promise<RunningAgent> => startAgent((listen) => configure(listen, sections));

  // field: F172
  it('tells the age of the newest verified backup before any job has run, and follows what becomes of the store', async () => {
    const configFile = await configure('127.0.0.1:1');
    const { backup: older } = (await runWarden(['backup'], { configFile })) as { backup: string };
    await runWarden(['verify', older], { configFile });
    // Ids tell seconds.
    await until(() => new Date().toISOString().slice(0, 19) > toSecond(older), 'the next second');
    const { backup: newer } = (await runWarden(['backup'], { configFile })) as { backup: string };
    await runWarden(['verify', newer], { configFile });

    await using agent = await start();
    const verified = 'etcd_warden_repository_newest_verified_timestamp_seconds{repository="local"';
    await until(async () => (await agent.metric(verified)) !== undefined, 'the first look');
    expect(await agent.metric(verified)).toBe(secondsOf(newer));
    expect(await agent.metric('etcd_warden_job_runs_total{job="verify",result="succeeded"')).toBe(0);
    expect((await agent.status()).verdict.level).toBe('safe');

    const lineage = join(repository, 'prod', (await readdir(join(repository, 'prod')))[0] ?? '');
    await rm(join(lineage, newer), { recursive: true });
    await until(async () => (await agent.metric(verified)) === secondsOf(older), 'the one before', 15_000);
    await rm(lineage, { recursive: true });
    await until(async () => (await agent.metric(verified)) === undefined, 'none', 15_000);
    expect(await agent.metric('etcd_warden_repository_backups{repository="local",state="complete"')).toBe(0);
    expect((await agent.status()).verdict).toEqual({
      level: 'danger',
      sentence: 'No repository holds a backup.',
    });
  });

  it('does what is scheduled, one after the other, and a restart neither repeats nor forgets', async () => {
    const schedules = {
      backup: { cron: '0 0 1 1 *', jitter: '0s' },
      verify: { cron: '0 0 1 1 *', subset: '1/1' },
      defrag: { cron: '*/2 * * * * *' },
    };
    const backups = async (): Promise<number> => {
      const listed = (await runWarden(['list'], { configFile: join(folder.path, 'config.yaml') })) as Listed;
      return listed.repositories[0]?.backups.length ?? 0;
    };
    {
      // Due on New Year's Day, and nobody was there.
      await using agent = await start({ schedules });
      await until(() => agent.log().some(({ msg, job }) => msg === 'done' && job === 'backup'), 'a backup');
      await until(() => agent.log().some(({ job }) => job === 'defrag'), 'a look at the members');
      expect(await backups()).toBe(1);
      // That there was nothing to read back yet is no failure.
      expect(agent.log().filter(({ level }) => level === 'warn' || level === 'error')).toEqual([]);
      expect((await agent.end()).signal).toBe('SIGTERM');
    }
    await using agent = await start({ schedules });
    await until(
      () => agent.log().some(({ msg, job }) => msg === 'nothing had to be done' && job === 'backup'),
      'no backup',
    );
    await until(() => agent.log().some(({ msg, job }) => msg === 'done' && job === 'verify'), 'a read-back');
    expect(await backups()).toBe(1);
    const [page, health] = await Promise.all([agent.get('/'), agent.get('/readyz')]);
    expect([page.status, page.body]).toEqual([200, expect.stringContaining('Safe')]);
    expect([health.status, health.body]).toEqual([200, expect.stringMatching(/^ok\n/)]);
  });

  it('reads its configuration again at SIGHUP, and keeps the old one where the new one is wrong', async () => {
    await using agent = await start();
    const configFile = join(folder.path, 'config.yaml');
    const good = await configureLike(configFile, { schedules: { backup: { cron: '0 0 1 1 *', jitter: '0s' } } });
    agent.warden.signal('SIGHUP');
    await until(() => agent.log().some(({ msg, job }) => msg === 'done' && job === 'backup'), 'a backup');
    expect(await agent.metric('etcd_warden_config_last_reload_successful')).toBe(1);

    await writeFile(configFile, good.replace('0 0 1 1 *', '0 0 31 2 *'));
    agent.warden.signal('SIGHUP');
    const isRefused = ({ msg }: { msg: string }): boolean =>
      msg === 'the configuration was not read again: the old one holds';
    await until(() => agent.log().some(isRefused), 'a refusal');
    expect(agent.log().find(isRefused)).toMatchObject({
      code: 'config-invalid',
      reason: expect.stringContaining('no such day') as string,
    });
    expect(await agent.metric('etcd_warden_config_last_reload_successful')).toBe(0);
    expect(await agent.metric('etcd_warden_job_interval_seconds{job="backup"')).toBeGreaterThan(300 * 86_400);
    const ended = await agent.end();
    expect(ended.signal).toBe('SIGTERM');
  });

  it('moves to another port at SIGHUP without a moment of silence', async () => {
    await using agent = await start();
    const [port = 0] = await freePorts(1);
    await configure(`127.0.0.1:${port}`);
    agent.warden.signal('SIGHUP');
    await until(
      () => agent.log().some(({ msg }) => msg === 'the configuration was read again'),
      'the new configuration',
    );
    expect((await fetch(`http://127.0.0.1:${port}/livez`)).status).toBe(200);
    await expect(agent.get('/livez')).rejects.toThrow('fetch failed');
  });

  it('does not start where its port is taken or a schedule never fires', async () => {
    await using agent = await start();
    const taken = await configure(agent.url.replace('http://', ''), {
      push: { textfile: '/nowhere/etcd-warden.prom' },
    });
    const busy = requireStatus(await startWarden(['run', '--json'], { configFile: taken }).ended, 2);
    // Both at once.
    expect(busy.json()).toMatchObject({
      error: { code: 'http-listen-failed', details: { codes: ['http-listen-failed', 'textfile-unwritable'] } },
    });
    const never = await configure('127.0.0.1:1', {
      schedules: { backup: { cron: '0 0 30 2 *' }, prune: { after: 'backup', cron: '0 0 * * *' } },
    });
    const wrong = requireStatus(await startWarden(['run', '--json'], { configFile: never }).ended, 2);
    const { error } = wrong.json() as { error: { code: string; details: { errors: string[] } } };
    expect([error.code, error.details.errors.length]).toEqual(['config-invalid', 2]);
  });

  it('starts where etcd is not there yet, says so, and goes on as soon as it is', async () => {
    await using late = await startCluster();
    const [member] = late.members;
    member?.process.signal('SIGSTOP');
    await using agent = await start({
      cluster: { name: 'prod', endpoints: late.endpoints },
      schedules: { backup: { cron: '*/5 * * * * *', jitter: '0s' } },
    });
    await until(async () => (await agent.status()).lastErrors.some(({ job }) => job === 'backup'), 'a failed backup');
    expect((await agent.status()).verdict.level).toBe('danger');
    expect((await agent.get('/livez')).status).toBe(200);
    member?.process.signal('SIGCONT');
    await until(async () => (await agent.status()).verdict.level === 'safe', 'safety');
    const [failed] = agent.log().filter(({ msg, job }) => msg === 'failed' && job === 'backup');
    expect(failed).toMatchObject({ level: 'error', hint: expect.stringMatching(/\w/) as string });
  });

  it('keeps one repository that cannot even be opened from hurting the other, or what is said of etcd', async () => {
    const broken = { type: 's3', bucket: 'backups', region: 'us-east-1', caFile: join(folder.path, 'none.pem') };
    await using agent = await start({
      repositories: [{ name: 'cloud', store: broken }, localRepository(repository)],
      schedules: { backup: { cron: '*/5 * * * * *', jitter: '0s' } },
    });
    await until(
      async () => (await agent.status()).lastErrors.some(({ job }) => job === 'backup'),
      'a backup in one of two',
    );
    const { lastErrors, repositories, problems } = await agent.status();
    expect(lastErrors).toMatchObject([{ job: 'backup', code: 'repositories-failed' }]);
    expect(repositories).toMatchObject([
      { name: 'cloud', error: { code: 'secret-unreadable' } },
      { name: 'local', error: null },
    ]);
    expect(problems.map(({ text }) => text).join('\n')).not.toMatch(/etcd cannot be asked/i);
  });

  it('reads certificates anew, so that one which was renewed needs no restart', async () => {
    await using secure = await startCluster({ tls: 'mtls' });
    const { certificates } = secure;
    if (certificates === undefined) throw new Error('no certificates');
    const [certFile, keyFile] = [join(folder.path, 'client.crt'), join(folder.path, 'client.key')];
    const install = async ({ certFile: cert, keyFile: key }: { certFile: string; keyFile: string }): Promise<void> => {
      await copyFile(cert, certFile);
      await copyFile(key, keyFile);
    };
    await install(certificates.expiredClient);
    await using agent = await start({
      cluster: { name: 'prod', endpoints: secure.endpoints, tls: { caFile: certificates.caFile, certFile, keyFile } },
      schedules: { backup: { cron: '*/5 * * * * *', jitter: '0s' } },
    });
    await until(async () => (await agent.status()).lastErrors.some(({ job }) => job === 'backup'), 'a failed backup');
    await install(certificates.client);
    await until(async () => (await agent.status()).verdict.level === 'safe', 'safety');
    const expiry = 'etcd_warden_certificate_expiry_timestamp_seconds{use="etcd-client"';
    await until(async () => ((await agent.metric(expiry)) ?? 0) > Date.now() / 1000, 'the end of the new one');
    expect((await agent.status()).lastErrors).toEqual([]);
  });

  it('reads a password anew, so that one which was changed needs no restart', async () => {
    await using guarded = await startCluster({ auth: { user: 'root', password: 'first' } });
    const passwordFile = join(folder.path, 'password');
    await writeFile(passwordFile, 'first', { mode: 0o600 });
    await using agent = await start({
      cluster: { name: 'prod', endpoints: guarded.endpoints, auth: { username: 'root', passwordFile } },
      schedules: { backup: { cron: '*/5 * * * * *', jitter: '0s' } },
    });
    await until(async () => (await agent.status()).verdict.level === 'safe', 'safety');
    const client = new Etcd3({ hosts: [...guarded.endpoints], auth: { username: 'root', password: 'first' } });
    await client.user('root').setPassword('second');
    client.close();
    const failure = async (): Promise<string | undefined> => (await agent.status()).lastErrors[0]?.code;
    await until(async () => (await failure()) === 'etcd-auth-failed', 'a refused password');
    await writeFile(passwordFile, 'second', { mode: 0o600 });
    await until(async () => (await failure()) === undefined, 'a backup with the new one');
    expect((await agent.status()).verdict.level).toBe('safe');
  });

  /** Writes the sections into the configuration that is there; resolves with its text. */
  async function configureLike(configFile: string, sections: object): Promise<string> {
    const text = JSON.stringify({ ...(JSON.parse(await readFile(configFile, 'utf8')) as object), ...sections });
    await writeFile(configFile, text);
    return text;
  }
});

interface Listed {
  readonly repositories: readonly { readonly backups: readonly object[] }[];
}

/** `20261124T140000Z-…` → `2026-11-24T14:00:00` */
function toSecond(id: string): string {
  return id.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z.*$/, '$1-$2-$3T$4:$5:$6');
}

function secondsOf(id: string): number {
  return Date.parse(`${toSecond(id)}Z`) / 1000;
}
