import { execFile } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual, promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { chart } from '../helm/render-chart.ts';
import { freePorts, startServer } from '../support/process.ts';
import { etcdBinary } from '../support/toolchain.ts';
import { startControlPlane } from './support/control-plane.ts';
import { populate, readEverything, unchanged } from './support/keyspace.ts';
import type { List, Pod, Stored } from './support/objects.ts';
import { reportEnd, runPod, startPod } from './support/pod-process.ts';
import { openSite, releaseValues, type Site } from './support/site.ts';

/*
 * The life of a release, on a real API server and its controllers, whose own etcd is what is looked after. There is no node:
 * the pods that the controllers make are started by the test as a kubelet would.
 */
const namespace = 'backups';
const jobs = ['backup', 'verify', 'prune', 'defrag'] as const;

describe('A release on Kubernetes', () => {
  let site: Site;
  let known: ReadonlyMap<string, Stored>;
  let keptBackup: string;
  let inNamespaceBefore: readonly string[];

  beforeAll(async () => {
    site = await openSite();
    await populate(site.plane);
    await site.makeNamespace(namespace, 'restricted');
    inNamespaceBefore = await namesIn(namespace);
  }, 600_000);
  afterAll(() => site?.[Symbol.asyncDispose]());

  /** Every object of a namespace but what Kubernetes notes by itself. */
  async function namesIn(where: string): Promise<readonly string[]> {
    const everything = await readEverything(site.plane);
    return [...everything.values()]
      .filter(({ kind, metadata }) => metadata.namespace === where && kind !== 'Event')
      .map(({ kind, metadata }) => `${kind} ${metadata.name}`)
      .sort();
  }

  async function writeValues(values: object): Promise<string> {
    const file = join(site.folder, 'values.json');
    await writeFile(file, JSON.stringify({ ...releaseValues(site), ...values }));
    return file;
  }

  /** Carries a Job's pod out; resolves with what it printed, once the controller knows how it went. */
  async function carryOut(job: string): Promise<string> {
    const pod = await site.waitForPod(namespace, job);
    const { status, stdout, stderr } = await runPod(pod, site);
    await reportEnd(site.plane, pod, status);
    expect([job, status, stderr]).toEqual([job, 0, stderr]);
    await site.plane.kubectl(['wait', '--for=condition=complete', '--timeout=60s', `job/${job}`, '-n', namespace]);
    return stdout + stderr;
  }

  it('is installed through the API server, and nobody warns of anything', async () => {
    // The next minute that is some time off.
    const soon = new Date(Date.now() + 75_000);
    const schedule = `${soon.getUTCMinutes()} ${soon.getUTCHours()} * * *`;
    const values = await writeValues({ jobs: Object.fromEntries(jobs.map((name) => [name, { schedule }])) });
    const printed = await site.plane.helm(['install', 'etcd-warden', chart, '-n', namespace, '--values', values]);
    expect(printed).toContain('STATUS: deployed');
    const { items } = await site.plane.get<List>(['cronjob', '-n', namespace]);
    expect(items.map(({ metadata }) => metadata.name).sort()).toEqual(jobs.map((name) => `etcd-warden-${name}`).sort());
    // What Pod Security thinks of the template of a workload is a warning, its pods are refused.
    const dryRun = await promisify(execFile)(
      'sh',
      [
        '-c',
        `helm get manifest etcd-warden -n ${namespace} | kubectl apply --dry-run=server --validate=strict -f - -n ${namespace} 2>&1`,
      ],
      { env: site.plane.env },
    );
    expect(
      dryRun.stdout.split('\n').filter((line) => /warning|error/i.test(line) && !line.includes('last-applied')),
    ).toEqual([]);
  });

  it('has its CronJobs fire, and each pod does its work as it is described', async () => {
    const made = await vi.waitFor(
      async () => {
        const { items } = await site.plane.get<List>(['job', '-n', namespace]);
        const names = items.map(({ metadata }) => metadata.name);
        const found = jobs.map((job) => names.find((name) => name.startsWith(`etcd-warden-${job}-`)));
        if (found.includes(undefined)) throw new Error(`only ${names.join(', ')}`);
        return found as readonly string[];
      },
      { timeout: 150_000, interval: 1000 },
    );
    for (const name of made) await carryOut(name);
    const { status } = await site.plane.get<{ status: { lastSuccessfulTime?: string } }>([
      'cronjob/etcd-warden-backup',
      '-n',
      namespace,
    ]);
    expect(status.lastSuccessfulTime).toBeDefined();
    keptBackup = await idOfNewest();
  });

  it('backs up the keyspace of the API server, which another one finds in the restored etcd', async () => {
    const before = await readEverything(site.plane);
    await site.plane.kubectl(['create', 'job', '-n', namespace, '--from=cronjob/etcd-warden-backup', 'by-hand']);
    expect(await carryOut('by-hand')).toContain('backup stored');
    known = await readEverything(site.plane);
    await site.plane.kubectl(['create', 'job', '-n', namespace, '--from=cronjob/etcd-warden-verify', 'read-back']);
    await carryOut('read-back');
    const snapshot = join(site.handover, 'snapshot.db');
    await runWith(['restore', 'latest-verified', '--to', '/handover/snapshot.db']);
    await using restored = await startRestored(snapshot);
    const found = await readEverything(restored);
    const expected = unchanged(before, known);
    expect(expected.length).toBeGreaterThan(200);
    const namesOf = (objects: readonly Stored[]) => new Set(objects.map(({ kind }) => kind));
    expect([...namesOf(expected)]).toEqual(expect.arrayContaining(['Secret', 'ConfigMap', 'Pod', 'Widget', 'CronJob']));
    const other = expected.filter((object) => !isDeepStrictEqual(found.get(object.metadata.uid), object));
    expect(other.map((object) => [object, found.get(object.metadata.uid)])).toEqual([]);
  });

  it('tells from its exporter what the store holds, as its probes and its port say', async () => {
    const [pod] = await podsOf('exporter');
    await using running = await startPod(pod, site);
    const [container] = pod.spec.containers;
    const port = container.ports?.find(({ name }) => name === 'metrics')?.containerPort ?? 0;
    const ask = (path = ''): Promise<Response> => fetch(`http://127.0.0.1:${port}${path}`);
    await vi.waitFor(async () => expect(await (await ask('/metrics')).text()).toMatch(/newest_verified_\w+\{/), 30_000);
    for (const probe of [container.livenessProbe, container.readinessProbe])
      expect((await ask(probe?.httpGet.path)).status).toBe(200);
    const endedMs = performance.now();
    running.signal('SIGTERM');
    expect((await running.ended).status).toBe(143);
    expect(performance.now() - endedMs).toBeLessThan(pod.spec.terminationGracePeriodSeconds * 1000);
  });

  it('is upgraded to a daemon, which takes the work over', async () => {
    const values = await writeValues({
      mode: 'daemon',
      config: {
        ...site.config,
        schedules: { backup: { cron: '*/5 * * * * *', jitter: '0s' } },
      },
    });
    await site.plane.helm(['upgrade', 'etcd-warden', chart, '-n', namespace, '--values', values]);
    expect((await site.plane.get<List>(['cronjob', '-n', namespace])).items).toEqual([]);
    const [pod] = await podsOf('daemon');
    await using running = await startPod(pod, site);
    await vi.waitFor(async () => expect(await idOfNewest()).not.toBe(keptBackup), { timeout: 60_000, interval: 1000 });
    running.signal('SIGTERM');
    expect((await running.ended).status).toBe(143);
  });

  it('leaves nothing behind when it is uninstalled, but the backups', async () => {
    const backups = (await site.s3.objectNames(site.bucket)).sort();
    await site.plane.helm(['uninstall', 'etcd-warden', '-n', namespace, '--wait']);
    const expected = new Set(inNamespaceBefore);
    await vi.waitFor(async () => expect((await namesIn(namespace)).filter((name) => !expected.has(name))).toEqual([]), {
      timeout: 90_000,
      interval: 1000,
    });
    expect((await site.s3.objectNames(site.bucket)).sort()).toEqual(backups);
    expect(backups.some((name) => name.includes(keptBackup))).toBe(true);
  });

  async function podsOf(component: string): Promise<readonly [Pod]> {
    const selector = `app.kubernetes.io/component=${component}`;
    return vi.waitFor(
      async () => {
        const { items } = await site.plane.get<List<Pod>>(['pods', '-n', namespace, '-l', selector]);
        expect(items).toHaveLength(1);
        return items as unknown as readonly [Pod];
      },
      { timeout: 60_000, interval: 500 },
    );
  }

  /** Another command in a pod like that of the read-back. */
  async function runWith(args: readonly string[]): Promise<string> {
    const { items } = await site.plane.get<List<Pod>>(['pods', '-n', namespace]);
    const like = items.find(({ metadata }) => metadata.name.startsWith('etcd-warden-verify'));
    if (like === undefined) throw new Error('nothing was read back');
    const all = ['--config', '/etc/etcd-warden/config.yaml', ...args];
    const { status, stdout, stderr } = await runPod(like, { ...site, args: all });
    expect([status, stderr]).toEqual([0, stderr]);
    return stdout;
  }

  async function idOfNewest(): Promise<string> {
    const ids = (await site.s3.objectNames(site.bucket))
      .map((name) => /\/(\d{8}T\d{6}Z-[^/]+)\/manifest\.json$/.exec(name)?.[1])
      .filter((id) => id !== undefined);
    return ids.sort().at(-1) ?? '';
  }

  /** An API server on an etcd that was made of a snapshot. */
  async function startRestored(snapshot: string) {
    await using stack = new AsyncDisposableStack();
    const dataDir = join(site.folder, 'restored');
    await rm(dataDir, { recursive: true, force: true });
    const [client, peer] = await freePorts(2);
    const [clientUrl, peerUrl] = [`http://127.0.0.1:${client}`, `http://127.0.0.1:${peer}`];
    const member = ['--name=restored', `--data-dir=${dataDir}`, `--initial-cluster=restored=${peerUrl}`];
    const advertised = `--initial-advertise-peer-urls=${peerUrl}`;
    await promisify(execFile)(etcdBinary('etcdutl', '3.7'), ['snapshot', 'restore', snapshot, ...member, advertised]);
    const listen = [
      `--listen-client-urls=${clientUrl}`,
      `--advertise-client-urls=${clientUrl}`,
      `--listen-peer-urls=${peerUrl}`,
    ];
    const isHealthy = async (): Promise<boolean> => (await fetch(`${clientUrl}/health`)).ok;
    stack.use(await startServer(etcdBinary('etcd', '3.7'), [...member, advertised, ...listen], isHealthy));
    const backend = { endpoint: clientUrl, certificates: undefined };
    const plane = stack.use(await startControlPlane(site.identity, backend, { controllers: false }));
    const resources = stack.move();
    return { ...plane, [Symbol.asyncDispose]: () => resources.disposeAsync() };
  }
});
